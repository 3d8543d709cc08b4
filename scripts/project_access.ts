/** Where a command finds a Supabase project, and how it shows who is asking. */
import { parseEnv } from "node:util";
import { z } from "zod";
import { DENO_TASK } from "../local/deno_task.ts";
import { oneLine, StackError } from "../local/failure.ts";
import { readStackFile } from "../local/stack_file.ts";

/** A project, and headers by which it knows the caller. */
export interface ProjectAccess {
  /** Base of the project's API, without a trailing slash. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What names the application to the project's Data API, where the caller is a signed-in user. */
  readonly publishableKey: string | undefined;
  /** Where the address comes from, for messages. */
  readonly source: string;
}

/** What the command line says of the project. */
export interface ProjectFlags {
  readonly url: string | undefined;
  /** A secret key. */
  readonly key: string | undefined;
  /** A signed-in user's access token. */
  readonly token: string | undefined;
  /** The publishable key that goes with a token. */
  readonly publishableKey?: string | undefined;
}

/** Where else to look. */
export interface ProjectSources {
  readonly env: (name: string) => string | undefined;
  /** The repository's `.env`. */
  readonly envFile: string;
  /** Where the embedded stack keeps its state. */
  readonly stateDir: string;
}

interface Found {
  readonly source: string;
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly publishableKey: string | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const VISIBLE = /^[!-~]+$/;

const KeysByName = z.record(z.string(), z.string().min(1));

/**
 * Finds the project: by the flags, else in the environment, in `.env`, or in the stack that runs on
 * this machine. Address and key come from one place, unless a flag gives them: a key is never sent to
 * another project's address.
 */
export async function findProject(
  flags: ProjectFlags,
  sources: ProjectSources,
): Promise<ProjectAccess> {
  if (flags.key !== undefined && flags.token !== undefined) {
    throw new StackError("Cannot use --key and --token together: one of them says who is asking");
  }
  for (const found of [environment(sources.env), await envFile(sources), await stack(sources)]) {
    const isOther = flags.url !== undefined && found.url !== undefined &&
      !isSame(flags.url, found.url);
    const url = flags.url ?? found.url;
    const key = flags.key ?? (isOther ? undefined : found.key);
    if (url === undefined || (key === undefined && flags.token === undefined)) continue;
    const source = flags.url === undefined ? found.source : "--url";
    const headers = headersOf({ key, token: flags.token });
    const publishableKey = flags.publishableKey ?? (isOther ? undefined : found.publishableKey);
    return { url: checkUrl(url), headers, publishableKey, source };
  }
  throw new StackError(
    flags.url === undefined && (flags.key ?? flags.token) !== undefined
      ? "Cannot find the project: give --url, or set SUPABASE_URL"
      : "Cannot find the project: give --url and --key (or --token), set SUPABASE_URL and " +
        `SUPABASE_SECRET_KEY, or start a local stack with \`${DENO_TASK} start\``,
  );
}

function headersOf(
  { key, token }: { key: string | undefined; token: string | undefined },
): Record<string, string> {
  const [name, value] = token === undefined ? ["--key", key ?? ""] : ["--token", token];
  if (!VISIBLE.test(value)) {
    throw new StackError(`Cannot use ${name} as it must be a key or token without spaces`);
  }
  return token === undefined ? { apikey: value } : { authorization: `Bearer ${value}` };
}

function isSame(left: string, right: string): boolean {
  return URL.parse(left)?.origin === URL.parse(right)?.origin;
}

function checkUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" &&
    url.hash === "";
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new StackError("Cannot use the project's address as it must be an http or https address");
  }
  if (url.protocol === "https:" || LOOPBACK.test(url.hostname)) return url.href.replace(/\/+$/, "");
  throw new StackError(
    "Cannot use the project's address as it must begin with https:// (http:// is for this machine " +
      "alone): a key travels with the request",
  );
}

function environment(env: ProjectSources["env"]): Found {
  return fromEnv("the environment", env);
}

async function envFile({ envFile: path }: ProjectSources): Promise<Found> {
  try {
    const values = parseEnv(await Deno.readTextFile(path));
    return fromEnv(".env", (name) => values[name]);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      return fromEnv(".env", () => undefined);
    }
    throw new StackError(`Cannot read "${path}": ${oneLine(cause)}`, { cause });
  }
}

async function stack({ stateDir }: ProjectSources): Promise<Found> {
  const running = await readStackFile(stateDir);
  return {
    source: "the local stack",
    url: running?.api_url,
    key: running?.secret_key,
    publishableKey: running?.publishable_key,
  };
}

function fromEnv(source: string, env: (name: string) => string | undefined): Found {
  const value = (name: string) => env(name)?.trim() || undefined;
  return {
    source,
    url: value("SUPABASE_URL"),
    key: value("SUPABASE_SECRET_KEY") ?? fromKeys(source, "SUPABASE_SECRET_KEYS", value) ??
      value("SUPABASE_SERVICE_ROLE_KEY"),
    publishableKey: value("SUPABASE_PUBLISHABLE_KEY") ??
      fromKeys(source, "SUPABASE_PUBLISHABLE_KEYS", value) ?? value("SUPABASE_ANON_KEY"),
  };
}

function fromKeys(
  source: string,
  name: string,
  value: ProjectSources["env"],
): string | undefined {
  const text = value(name);
  if (text === undefined) return undefined;
  const keys = KeysByName.safeParse(parseJson(text));
  if (keys.success) return keys.data["default"] ?? Object.values(keys.data)[0];
  // The text holds keys, so it is not shown.
  throw new StackError(
    `Cannot read ${name} of ${source} as it must be a JSON object of keys by name`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses it; the parser's message would quote a key.
    return null;
  }
}
