/**
 * The rules of how the code hangs together. Every failure names the file and the rule it breaks.
 *
 *   <slug>/index.ts → handlers → sync | oauth → db | http | providers/types → config | errors | log
 *
 * A provider folder imports the contract, the errors and itself; only the registry and the slug of
 * the provider know it by name.
 */
import assert from "node:assert/strict";
import { syncSlug } from "../supabase/functions/_shared/handlers/start_sync.ts";
import { PROVIDERS as REGISTERED } from "../supabase/functions/_shared/providers/registry.ts";
import { fromFileUrl, readTree } from "./support/source_tree.ts";
import denoConfig from "../deno.json" with { type: "json" };

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const FUNCTIONS = "supabase/functions/";
const SHARED = `${FUNCTIONS}_shared/`;
const PROVIDERS = `${SHARED}providers/`;
const LONGEST_INDEX_LINES = 15;
const LONGEST_FILE_LINES = 400;

/** Layers that each layer may import, itself included. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  index: ["handlers", "provider", "registry"],
  handlers: ["handlers", "sync", "oauth", "db", "http", "contract", "base"],
  sync: ["sync", "oauth", "db", "http", "contract", "base"],
  oauth: ["oauth", "db", "http", "contract", "base"],
  db: ["db", "http", "contract", "base"],
  http: ["http", "contract", "base"],
  registry: ["provider", "contract", "errors"],
  provider: ["provider", "contract", "errors"],
  contract: ["contract", "errors"],
  base: ["base", "errors"],
  errors: ["errors"],
};

/** `sync/schedule.ts` is plain calculation and stays so. */
const SCHEDULE = `${SHARED}sync/schedule.ts`;
const SCHEDULE_IMPORTS = ["croner", `${SHARED}errors.ts`];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Without comments, so that prose is not taken for code. */
  readonly code: string;
}

interface Import {
  readonly specifier: string;
  /** Path from the root for a relative import; the specifier itself for a package. */
  readonly target: string;
}

const sources: SourceFile[] = (await readTree(ROOT, FUNCTIONS, ".ts"))
  .map(({ path, text }) => ({ path, text, code: withoutComments(text) }));

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

function importsOf({ path, code }: SourceFile): Import[] {
  const patterns = [
    /(?:^|\n)\s*(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/g,
    /(?:^|\n)\s*import\s*["']([^"']+)["']/g,
    /\bimport\(\s*["']([^"']+)["']\s*[,)]/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)]).map(([, specifier = ""]) => ({
    specifier,
    target: specifier.startsWith(".") ? resolve(path, specifier) : specifier,
  }));
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function layerOf(path: string): string {
  if (!path.startsWith(SHARED)) return "index";
  if (path === `${PROVIDERS}registry.ts`) return "registry";
  // Beside the folders of the providers lies what they all share.
  if (path.startsWith(PROVIDERS) && !path.slice(PROVIDERS.length).includes("/")) return "contract";
  if (path.startsWith(PROVIDERS)) return "provider";
  const rest = path.slice(SHARED.length);
  if (rest === "errors.ts" || rest === "secret.ts") return "errors";
  return rest.includes("/") ? rest.slice(0, rest.indexOf("/")) : "base";
}

function allowedFrom(layer: string): readonly string[] {
  const allowed = ALLOWED[layer] ?? [];
  return allowed.includes("base") ? [...allowed, "errors"] : allowed;
}

function providerFolderOf(path: string): string {
  return path.slice(PROVIDERS.length).split("/")[0] ?? "";
}

/** Fails with one line per breach, each beginning with the file. */
function assertNone(rule: string, breaches: readonly string[]): void {
  assert.equal(breaches.length, 0, `${rule}\n  ${breaches.join("\n  ")}\n`);
}

function eachImport(check: (file: SourceFile, target: Import) => string | null): string[] {
  return sources.flatMap((file) =>
    importsOf(file).flatMap((target) => {
      const breach = check(file, target);
      return breach === null ? [] : [`${file.path}: ${breach}`];
    })
  );
}

Deno.test("there is code to check", () => {
  assert.ok(sources.length > 20, `only ${sources.length} files were found below ${FUNCTIONS}`);
  assert.ok(sources.flatMap(importsOf).length > 100);
});

Deno.test("every file of the functions lies in a known layer", () => {
  assertNone(
    `A file below ${SHARED} lies in one of: ${Object.keys(ALLOWED).join(", ")}.`,
    sources.filter(({ path }) => !(layerOf(path) in ALLOWED)).map(({ path }) => path),
  );
});

Deno.test("imports point one way through the layers", () => {
  assertNone(
    "index.ts → handlers → sync | oauth → db | http | providers/types → config | errors | log.",
    eachImport((file, { specifier, target }) => {
      if (!specifier.startsWith(".")) return null;
      const [from, to] = [layerOf(file.path), layerOf(target)];
      if (!target.startsWith(SHARED)) return `imports ${specifier}, which is outside ${SHARED}`;
      return allowedFrom(from).includes(to) ? null : `${from} imports ${to} (${specifier})`;
    }),
  );
});

Deno.test("a provider imports the contract, the errors and its own folder only", () => {
  assertNone(
    "What two providers share belongs to the engine or the contract.",
    eachImport((file, { specifier, target }) => {
      if (layerOf(file.path) !== "provider" || !target.startsWith(PROVIDERS)) return null;
      if (layerOf(target) === "contract") return null;
      const isOwn = providerFolderOf(file.path) === providerFolderOf(target);
      return isOwn ? null : `imports ${specifier} of another provider`;
    }),
  );
});

/** The platform's functions have part of the runtime only: no processes, for one. */
const PLATFORM = ["Deno.HttpClient", "Deno.createHttpClient", "Deno.customInspect", "Deno.env"];

Deno.test("functions use nothing of the runtime but their environment", () => {
  assertNone(
    "The platform's runtime lacks much of the namespace Deno; use the web platform or node:.",
    sources.flatMap(({ path, code }) =>
      (code.match(/\bDeno\.\w+/g) ?? []).filter((used) => !PLATFORM.includes(used))
        .map((used) => `${path} uses ${used}`)
    ),
  );
});

Deno.test("shared code never names a provider", () => {
  const folders = sources.filter(({ path }) => layerOf(path) === "provider")
    .map(({ path }) => providerFolderOf(path));
  assert.ok(folders.length > 0);
  // Also those without a folder yet: the database knows their types already.
  const words = new RegExp(
    [...new Set(folders), "google", "\\bdrive\\b", "autodesk"].join("|"),
    "i",
  );
  assertNone(
    "Shared code has no branch, field or constant for one provider.",
    sources.filter(({ path }) => !["index", "provider", "registry"].includes(layerOf(path)))
      .flatMap(({ path, code }) => {
        const match = words.exec(code);
        return match === null ? [] : [`${path}: says "${match[0]}"`];
      }),
  );
});

Deno.test("nothing in supabase/ imports local/, scripts/, tests/ or bench/", () => {
  assertNone(
    "What runs on the platform needs nothing of the development tools.",
    eachImport((_file, { specifier, target }) =>
      /^(local|scripts|tests|bench)\//.test(target) ? `imports ${specifier}` : null
    ),
  );
});

Deno.test("imports are literal, relative with extension, node: builtins or named in deno.json", () => {
  const known = new Set(Object.keys(denoConfig.imports));
  assertNone(
    "The platform's bundler finds files by literal specifiers, and versions are pinned in deno.json.",
    [
      ...eachImport((_file, { specifier }) => {
        if (specifier.startsWith("node:") || known.has(specifier)) return null;
        if (/^\.\.?\/.*\.(ts|json)$/.test(specifier)) return null;
        return `imports "${specifier}"`;
      }),
      ...sources.filter(({ code }) => /\bimport\(\s*[^"'\s)]/.test(code))
        .map(({ path }) => `${path}: has an import() that is not a literal`),
    ],
  );
});

Deno.test("every package in deno.json is pinned to one version from npm", () => {
  assertNone(
    "deno.json pins exact versions: npm:name@1.2.3.",
    Object.entries(denoConfig.imports)
      .filter(([, target]) =>
        !/^npm:(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+[\w.-]*(\/[\w./-]+)?$/.test(target)
      )
      .map(([name, target]) => `deno.json: "${name}" is "${target}"`),
  );
});

Deno.test("every import leads to a file that exists", () => {
  const paths = new Set(sources.map(({ path }) => path));
  assertNone(
    "A relative import names a file of the functions.",
    eachImport((_file, { specifier, target }) =>
      specifier.startsWith(".") && !paths.has(target) ? `imports ${specifier}` : null
    ),
  );
});

Deno.test("sync/schedule.ts imports croner and the errors only", () => {
  assertNone(
    "The schedule is plain calculation.",
    eachImport((file, { specifier, target }) =>
      file.path !== SCHEDULE || SCHEDULE_IMPORTS.includes(target) ? null : `imports ${specifier}`
    ),
  );
});

Deno.test("an index.ts only wires", () => {
  const entries = sources.filter(({ path }) => layerOf(path) === "index");
  assertNone(
    `A function's folder holds one index.ts of at most ${LONGEST_INDEX_LINES} lines without logic.`,
    entries.flatMap(({ path, text, code }) => {
      const breaches: string[] = [];
      if (!/^supabase\/functions\/[a-z][a-z0-9-]*\/index\.ts$/.test(path)) {
        breaches.push(`${path}: is not <slug>/index.ts`);
      }
      const lines = text.trimEnd().split("\n").length;
      if (lines > LONGEST_INDEX_LINES) breaches.push(`${path}: has ${lines} lines`);
      if (/\b(if|for|while|switch|function|Deno\.env)\b/.test(code)) {
        breaches.push(`${path}: has logic`);
      }
      if (!/export default \{/.test(code)) breaches.push(`${path}: has no default export`);
      return breaches;
    }),
  );
});

Deno.test("no file is longer than 400 lines", () => {
  assertNone(
    "One file, one job.",
    sources.flatMap(({ path, text }) => {
      const lines = text.trimEnd().split("\n").length;
      return lines > LONGEST_FILE_LINES ? [`${path}: has ${lines} lines`] : [];
    }),
  );
});

Deno.test("every function has a stanza in config.toml with verify_jwt and the import map", async () => {
  const config = await Deno.readTextFile(`${ROOT}supabase/config.toml`);
  const slugs = sources.filter(({ path }) => layerOf(path) === "index")
    .map(({ path }) => path.slice(FUNCTIONS.length).split("/")[0] ?? "");
  assertNone(
    "A deploy without verify_jwt may turn it on, and without import_map finds no package.",
    slugs.flatMap((slug) => {
      const stanza = config.split(`[functions.${slug}]\n`)[1]?.split(/\n\[/)[0];
      if (stanza === undefined) return [`supabase/config.toml: has no [functions.${slug}]`];
      const lines = ["verify_jwt = false", 'import_map = "../deno.json"'];
      return lines.filter((line) => !stanza.includes(line))
        .map((line) => `supabase/config.toml: [functions.${slug}] lacks ${line}`);
    }),
  );
});

Deno.test("every registered type of endpoint has its function", () => {
  const slugs = new Set(sources.map(({ path }) => path));
  assertNone(
    "The endpoint type x_y is served by the function sync-x-y.",
    REGISTERED.map(({ key }) => `${FUNCTIONS}${syncSlug(key)}/index.ts`)
      .filter((path) => !slugs.has(path)).map((path) => `${path}: is missing`),
  );
});

Deno.test("every provider's folder is in the registry", async () => {
  const registry = await Deno.readTextFile(`${ROOT}${PROVIDERS}registry.ts`);
  const entries = sources.map(({ path }) => path)
    .filter((path) => layerOf(path) === "provider" && path.endsWith("/index.ts"));
  const missing = entries.map((path) => `"./${providerFolderOf(path)}/index.ts"`)
    .filter((specifier) => !registry.includes(specifier));
  const isShort = missing.length === 0 && REGISTERED.length !== entries.length;
  assertNone(
    "registry.ts imports every provider and lists it in PROVIDERS.",
    [
      ...missing.map((specifier) => `${PROVIDERS}registry.ts: does not import ${specifier}`),
      ...(isShort
        ? [`${PROVIDERS}registry.ts: PROVIDERS has ${REGISTERED.length} of ${entries.length}`]
        : []),
    ],
  );
});

Deno.test("the database knows every registered type of endpoint", async () => {
  const rows = (await readTree(ROOT, "supabase/migrations/", ".sql"))
    .filter(({ text }) => text.includes("insert into connector.endpoint_types"))
    .map(({ text }) => text).join("\n");
  assertNone(
    "A migration inserts each type into connector.endpoint_types.",
    REGISTERED.filter(({ key }) => !rows.includes(`('${key}', `))
      .map(({ key }) =>
        `supabase/migrations/: none inserts '${key}' into connector.endpoint_types`
      ),
  );
});

Deno.test("every registered type of endpoint has data for the contract tests", async () => {
  const paths = REGISTERED.map(({ key }) => `tests/testdata/${key}/contract.json`);
  const found = await Promise.all(
    paths.map((path) => Deno.stat(`${ROOT}${path}`).then(() => true, () => false)),
  );
  assertNone(
    "tests/unit/provider_contract_test.ts holds every provider to the contract.",
    paths.filter((_path, at) => found[at] !== true).map((path) => `${path}: is missing`),
  );
});
