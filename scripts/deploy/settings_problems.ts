/**
 * Checks settings by the functions' own rules: their parsers are run as a function would run them,
 * again and again, each time without what was found wrong, until nothing more is.
 */
import {
  type Env,
  readDispatcherSettings,
  readOAuthSettings,
} from "../../supabase/functions/_shared/config.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { PROVIDERS } from "../../supabase/functions/_shared/providers/registry.ts";
import { filesToInline, functionSecrets, isWritable, type Settings } from "./settings.ts";

/** The platform's limit for one secret, in characters. */
const LONGEST_VALUE = 24_576;

/** Required settings: while one of them is wrong, this is read in its place. */
const STAND_INS: ReadonlyMap<string, string> = new Map([
  ["CONNECTOR_DISPATCH_TOKEN", "-".repeat(32)],
  ["CONNECTOR_TOKEN_KEYS", JSON.stringify({ k: "A".repeat(43) })],
]);

/** Where a deployment takes them from. */
const WHERE_TO = "put it into .env (docs/deployment.md, 1)";

/** What was found. */
export interface SettingsReport {
  /** The first line of each says what is wrong; those that follow belong to it. */
  readonly problems: readonly string[];
  /** The providers that can be used. */
  readonly providers: readonly string[];
  /** Settings that no function asked for: most likely misspelt. */
  readonly unread: readonly string[];
}

/** Checks the settings as the functions of the project will see them. */
export function checkSettings(settings: Settings, projectUrl: string): SettingsReport {
  const secrets = functionSecrets(settings);
  const asked = new Set<string>();
  const env: Env = (name) => {
    asked.add(name);
    return secrets[name] ?? platformSettings(projectUrl)[name];
  };
  const engine = [readDispatcherSettings, readOAuthSettings].flatMap((read) =>
    findProblems(read, env, STAND_INS).problems
  );
  const providers = PROVIDERS.map((provider) => ({
    name: provider.displayName,
    ...findProblems((read) => provider.parseSettings(read), env, new Map()),
  }));
  const problems = [
    ...engine,
    ...providers.flatMap((provider) => provider.problems),
    ...Object.keys(secrets).flatMap((name) => checkTransport(name, secrets[name] ?? "")),
    ...filesToInline(settings).map((name) =>
      `The setting ${name} names a file of this machine, which deployed functions do not have: put ` +
      `its content, on one line, into ${name.replace(/_PATH$/, "")}`
    ),
  ];
  if (problems.length === 0 && providers.every(({ rest }) => rest !== null)) {
    const either = providers.flatMap(({ name, rest }) => rest === null ? [] : [`${name}: ${rest}`]);
    problems.push(["No provider is set up; one of these is enough:", ...either].join("\n"));
  }
  return {
    problems: [...new Set(problems)],
    providers: providers.filter(({ rest }) => rest === null).map(({ name }) => name),
    unread: Object.keys(secrets).filter((name) => !asked.has(name)),
  };
}

/**
 * Runs a parser until it passes, or until it only misses what is not set (`rest` says what): a
 * provider that nobody set up is no problem.
 */
function findProblems(
  read: (env: Env) => unknown,
  env: Env,
  standIns: ReadonlyMap<string, string>,
): { readonly problems: readonly string[]; readonly rest: string | null } {
  const problems: string[] = [];
  const hidden = new Set<string>();
  for (;;) {
    try {
      read((name) => hidden.has(name) ? standIns.get(name) : env(name));
      return { problems, rest: null };
    } catch (cause) {
      if (!(cause instanceof SyncError) || cause.code !== "setting_invalid") throw cause;
      // A parser's message names the setting that is wrong, and those that belong to it.
      const wrong = (cause.message.match(/\bCONNECTOR_[A-Z_]+[A-Z]/g) ?? []).filter((name) =>
        !hidden.has(name) && (standIns.has(name) || env(name) !== undefined)
      );
      if (wrong.length === 0) return { problems, rest: cause.message };
      const absent = wrong.find((name) => standIns.has(name) && env(name) === undefined);
      problems.push(
        absent === undefined ? cause.message : `The setting ${absent} is missing: ${WHERE_TO}`,
      );
      wrong.forEach((name) => hidden.add(name));
    }
  }
}

function checkTransport(name: string, value: string): string[] {
  if (value.length > LONGEST_VALUE) {
    return [`The setting ${name} is longer than the ${LONGEST_VALUE} characters of a secret`];
  }
  if (isWritable(value)) return [];
  return [
    `The setting ${name} holds a single quote beside other special characters, which ` +
    "`supabase secrets set` cannot be given: set it in the dashboard, and remove it here",
  ];
}

function platformSettings(projectUrl: string): Settings {
  return {
    SUPABASE_URL: projectUrl,
    SUPABASE_SECRET_KEYS: '{"default":"-"}',
    SUPABASE_PUBLISHABLE_KEYS: '{"default":"-"}',
    SUPABASE_JWKS: '{"keys":[]}',
  };
}
