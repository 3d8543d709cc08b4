/** `deno task token-keys:new` and `token-keys:reencrypt`: the keys that encrypt tokens at rest. */
import { join } from "node:path";
import { DENO_TASK } from "../local/deno_task.ts";
import { StackError } from "../local/failure.ts";
import { parseFlags } from "../local/flags.ts";
import { defaultStateDir, repositoryRoot } from "../local/paths.ts";
import { createTerminal, type Terminal } from "../local/terminal.ts";
import { createAdminClient } from "../supabase/functions/_shared/db/client.ts";
import { createTimedFetch } from "../supabase/functions/_shared/http/timed_fetch.ts";
import { createTokenVault } from "../supabase/functions/_shared/oauth/token_vault.ts";
import { Secret } from "../supabase/functions/_shared/secret.ts";
import { plainText } from "../local/plain_text.ts";
import { findProject } from "./project_access.ts";
import { withNewKey } from "./token_keys_new.ts";
import { reencrypt, type Reencryption } from "./token_keys_reencrypt.ts";
import { findTokenKeys, parseKeys } from "./token_keys_setting.ts";

/** How the commands are used. */
export const USAGE = `deno task token-keys:new [flags]
  Prints a value for CONNECTOR_TOKEN_KEYS: the keys there are, and a new one that seals from then on.

deno task token-keys:reencrypt [flags]
  Seals every stored token again that was not sealed with the newest key. Syncs may go on meanwhile.

  --dry-run         count what would be sealed again, and write nothing
  --url URL         the Supabase project (SUPABASE_URL)
  --key KEY         a secret key of it (SUPABASE_SECRET_KEY)
  --state-dir DIR   where the local stack keeps its state
  --help            this text

Keys and address come from the environment, else from .env, or from the stack that runs on this
machine (deno task start). docs/operations.md says how keys are rotated.

Status: 0 done · 1 some tokens could not be opened, or changed all the time · 2 wrong use`;

const REQUEST_TIMEOUT_MS = 30_000;

/** Status of wrong use, or of a project that cannot be reached. */
const UNUSABLE = 2;

/** What the commands touch. */
export interface TokenKeysDeps {
  readonly terminal: Terminal;
  readonly fetch: typeof fetch;
  readonly env: (name: string) => string | undefined;
  /** The repository's root, with `.env`. */
  readonly root: string;
}

/** Runs a command; answers its exit status. */
export async function runTokenKeys(args: readonly string[], deps: TokenKeysDeps): Promise<number> {
  try {
    const [command, ...rest] = args;
    const text = { type: "string" } as const;
    const yesOrNo = { type: "boolean" } as const;
    const flags = parseFlags(rest, {
      "dry-run": yesOrNo,
      url: text,
      key: text,
      "state-dir": text,
      help: yesOrNo,
    });
    const stateDir = flags["state-dir"] ?? defaultStateDir();
    if (flags.help === true) deps.terminal.line(USAGE);
    else if (command === "new") await printNewKeys(deps);
    else if (command === "reencrypt") {
      const { url, key } = flags;
      const isDryRun = flags["dry-run"] ?? false;
      return await runReencryption({ url, key, stateDir, isDryRun }, deps);
    } else throw new StackError("Cannot choose a command: it is new or reencrypt (see --help)");
    return 0;
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    deps.terminal.error(`error: ${plainText(cause.message)}`);
    return UNUSABLE;
  }
}

async function printNewKeys(deps: TokenKeysDeps): Promise<void> {
  const found = await findTokenKeys(deps);
  const { value, keyId } = withNewKey(found?.text ?? null);
  deps.terminal.line(value);
  // Apart from the value, which may go into a file or another program.
  deps.terminal.error(
    found === null
      ? `One key, "${keyId}". There was none in the environment, .env or supabase/functions/.env.`
      : `The keys of ${found.source}, and a new one that seals from now on: "${keyId}".`,
  );
  for (const line of WHAT_NEXT) deps.terminal.error(line);
}

const WHAT_NEXT = [
  "Next: set it, for example with `supabase secrets set CONNECTOR_TOKEN_KEYS='…'`, and keep a copy",
  `in a safe place. Ten minutes later run \`${DENO_TASK} token-keys:reencrypt\`;`,
  "when it ends with status 0, older keys may be taken out of the value.",
];

interface ReencryptionFlags {
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly stateDir: string;
  readonly isDryRun: boolean;
}

async function runReencryption(
  { url, key, stateDir, isDryRun }: ReencryptionFlags,
  { terminal, fetch, env, root }: TokenKeysDeps,
): Promise<number> {
  const sources = { env, envFile: join(root, ".env"), stateDir };
  const project = await findProject({ url, key, token: undefined }, sources);
  const found = await findTokenKeys({ env, root, stateDir });
  if (found === null) {
    throw new StackError(
      "Cannot open tokens as CONNECTOR_TOKEN_KEYS must be set: current value is empty",
    );
  }
  const keys = parseKeys(found.text, found.source);
  terminal.error(`${project.url} (from ${project.source}), keys of ${found.source}`);
  const client = createAdminClient(
    { url: project.url, fetch: createTimedFetch({ fetch, timeoutMs: REQUEST_TIMEOUT_MS }) },
    new Secret(project.headers["apikey"] ?? ""),
  );
  const vault = createTokenVault(keys);
  const report = await reencrypt({
    client,
    vault,
    newest: keys.newest,
    isDryRun,
    onProgress: (counts) => terminal.live([progressLine(counts, isDryRun)]),
  });
  terminal.live([progressLine(report, isDryRun)]);
  terminal.endLive();
  return conclude(report, keys.newest, isDryRun, terminal);
}

function progressLine({ sealed, current, changed, unreadable }: Reencryption, isDryRun: boolean) {
  const what = isDryRun ? "to be sealed again" : "sealed again";
  return `${sealed} ${what} · ${current} up to date · ${changed} changed meanwhile · ` +
    `${unreadable.length} unreadable`;
}

function conclude(
  report: Reencryption,
  newest: string,
  isDryRun: boolean,
  terminal: Terminal,
): number {
  for (const { endpointId, message } of report.unreadable) {
    terminal.error(`endpoint ${endpointId}: ${plainText(message)}`);
  }
  if (report.disposable > 0) {
    terminal.error(
      `${report.disposable} unreadable tokens of the application's own are replaced by the next syncs.`,
    );
  }
  if (report.unreadable.length > 0) return 1;
  if (report.changed > 0) {
    terminal.error(
      "Some tokens changed whenever they were about to be sealed again: run it again.",
    );
    return 1;
  }
  if (!isDryRun) terminal.line(`Every token is sealed with the key "${newest}".`);
  return 0;
}

if (import.meta.main) {
  Deno.exit(
    await runTokenKeys(Deno.args, {
      terminal: createTerminal(),
      fetch: globalThis.fetch,
      env: (name) => Deno.env.get(name),
      root: repositoryRoot(),
    }),
  );
}
