/** Writes what a new provider consists of: a working skeleton, and its place in all the lists. */
import { dirname, join } from "node:path";
import { StackError } from "../local/failure.ts";
import { type ProviderName, renamed, toProviderName } from "./provider_name.ts";

const SHARED = "supabase/functions/_shared";
const PROVIDERS = `${SHARED}/providers`;
const MIGRATIONS = "supabase/migrations";
const CONFIG = "supabase/config.toml";
const REGISTRY = `${PROVIDERS}/registry.ts`;
const README = "README.md";

const TEMPLATE = new URL("./provider_template/", import.meta.url);

/** One file as it is to be; paths are relative to the repository's root. */
interface Draft {
  readonly path: string;
  readonly text: string;
  readonly isNew: boolean;
}

/**
 * Adds a provider to the repository in `root`; returns the paths of what was written. Nothing is
 * written where the name is bad or taken.
 */
export async function scaffoldProvider(
  root: string,
  givenName: string,
  now: Date,
): Promise<readonly string[]> {
  const name = toProviderName(givenName);
  await refuseTaken(root, name);
  const drafts = [
    ...await providerFiles(name),
    { path: `supabase/functions/sync-${name.hyphened}/index.ts`, text: shim(name), isNew: true },
    await migration(root, name, now),
    await changed(root, REGISTRY, (text) => registered(text, name)),
    await changed(root, CONFIG, (text) => `${text.trimEnd()}\n\n${stanza(name)}`),
    await changed(root, README, (text) => listed(text, name)),
  ];
  for (const { path, text, isNew } of drafts) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text, { createNew: isNew });
  }
  return drafts.map(({ path }) => path);
}

/** A name is taken where a list has it, and unusable where shared code has it as a word. */
async function refuseTaken(root: string, { key, hyphened }: ProviderName): Promise<void> {
  for (const path of [`${PROVIDERS}/${key}`, `supabase/functions/sync-${hyphened}`]) {
    if (await exists(join(root, path))) {
      throw new StackError(`Cannot name a provider "${key}": ${path} is there already`);
    }
  }
  for (const { path, text } of await textsBelow(root, MIGRATIONS, ".sql")) {
    if (text.includes(`('${key}'`)) {
      throw new StackError(`Cannot name a provider "${key}": ${path} knows that type already`);
    }
  }
  for (const { path, text } of await textsBelow(root, SHARED, ".ts")) {
    // Shared code may not name a provider, so a provider may not be named like a word of it.
    if (!path.startsWith(`${PROVIDERS}/`) && text.toLowerCase().includes(key)) {
      throw new StackError(
        `Cannot name a provider "${key}": ${path} has that word, and shared code names no provider`,
      );
    }
  }
}

async function providerFiles(name: ProviderName): Promise<Draft[]> {
  const drafts: Draft[] = [];
  for await (const { name: file } of Deno.readDir(TEMPLATE)) {
    const text = renamed(await Deno.readTextFile(new URL(file, TEMPLATE)), name);
    if (file === "contract.json") {
      drafts.push({ path: `tests/testdata/${name.key}/${file}`, text, isNew: true });
      continue;
    }
    const moved = text.replaceAll(`"../../${PROVIDERS}/`, '"../').replaceAll(
      `"../../${SHARED}/`,
      '"../../',
    );
    drafts.push({ path: `${PROVIDERS}/${name.key}/${file}`, text: moved, isNew: true });
  }
  return drafts.sort((left, right) => left.path < right.path ? -1 : 1);
}

function shim({ key, hyphened, camel }: ProviderName): string {
  const slug = `sync-${hyphened}`;
  return `import { liveSyncDeps } from "../_shared/handlers/live_sync_deps.ts";
import { createSyncHandler } from "../_shared/handlers/sync.ts";
import { ${camel}Provider } from "../_shared/providers/${key}/index.ts";

export default {
  fetch: createSyncHandler(${camel}Provider, liveSyncDeps("${slug}")),
};
`;
}

async function migration(root: string, { key, display }: ProviderName, now: Date): Promise<Draft> {
  const last = (await textsBelow(root, MIGRATIONS, ".sql")).at(-1)?.path ?? "";
  const stamp = laterStamp(/\/(\d{14})_[^/]+$/.exec(last)?.[1], now);
  return {
    path: `${MIGRATIONS}/${stamp}_add_${key}.sql`,
    text: `-- Purpose:  lets endpoints have the type ${key}.
-- Depends:  20261122100000_create_connector_schema.sql
-- Rollback: delete from connector.endpoint_types where endpoint_type = '${key}';  -- once no endpoint has it
insert into connector.endpoint_types (endpoint_type, display_name, audit_interval_days) values
  ('${key}', '${display}', 1);
`,
    isNew: true,
  };
}

/** The stamp of now, or a minute after the last one where that is later. */
function laterStamp(last: string | undefined, now: Date): string {
  const stamp = stampOf(now);
  if (last === undefined || stamp > last) return stamp;
  const iso = last.replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3T$4:$5:$6Z");
  return stampOf(new Date(Date.parse(iso) + 60_000));
}

function stampOf(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(/\D/g, "");
}

/** The registry with the import in its alphabetical place, and the provider at the list's end. */
function registered(text: string, { key, camel }: ProviderName): string {
  const line = `import { ${camel}Provider } from "./${key}/index.ts";`;
  const imports = [...text.matchAll(/^import \{ \w+ \} from "\.\/(\w+)\/index\.ts";$/gm)];
  const before = imports.find(([, folder = ""]) => folder > key)?.[0] ??
    /^import type .*$/m.exec(text)?.[0];
  const list = /(PROVIDERS: readonly Provider<unknown>\[\] = \[)([^\]]*?),?\s*\]/;
  if (before === undefined || !list.test(text)) {
    throw new StackError(`Cannot add to ${REGISTRY}: it does not look as it did`);
  }
  return text.replace(before, `${line}\n${before}`).replace(list, `$1$2, ${camel}Provider]`);
}

function stanza({ hyphened }: ProviderName): string {
  return `[functions.sync-${hyphened}]
# Called by the dispatcher with a secret key on the header apikey: no JWT.
verify_jwt = false
import_map = "../deno.json"
`;
}

/** The README's table of functions with a row after the last sync function. */
function listed(text: string, { hyphened, display }: ProviderName): string {
  const last = [...text.matchAll(/^\| `sync-.*$/gm)].at(-1)?.[0];
  if (last === undefined) {
    throw new StackError(`Cannot add to ${README}: it lists no sync function`);
  }
  const row =
    `| \`sync-${hyphened}\` | the dispatcher (secret key) | reads ${display}, the same way |`;
  return text.replace(last, `${last}\n${row}`);
}

async function changed(
  root: string,
  path: string,
  change: (text: string) => string,
): Promise<Draft> {
  return { path, text: change(await Deno.readTextFile(join(root, path))), isNew: false };
}

async function textsBelow(root: string, folder: string, ending: string) {
  const texts: { readonly path: string; readonly text: string }[] = [];
  for await (const entry of Deno.readDir(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) texts.push(...await textsBelow(root, path, ending));
    else if (path.endsWith(ending)) {
      texts.push({ path, text: await Deno.readTextFile(join(root, path)) });
    }
  }
  return texts.sort((left, right) => left.path < right.path ? -1 : 1);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
