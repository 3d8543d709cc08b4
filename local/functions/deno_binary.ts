import { oneLine } from "../failure.ts";

/** The version the platform's runtime is compatible with. */
export const PLATFORM_DENO_VERSION = "2.1.4";

const FIND_TIMEOUT_MS = 180_000;
/** The platform's version cannot read the lock file a newer one writes. */
const EVALUATE = ["eval", "--no-lock", "--no-config"];

/** The Deno that runs the functions. */
export interface DenoBinary {
  readonly path: string;
  readonly version: string;
  /** Set when it is not the platform's version: why. */
  readonly note?: string;
}

/**
 * Variables Deno itself needs to find its cache, its registry and its certificates. A machine
 * whose network is intercepted by a company proxy trusts it in the system's store only.
 */
export function denoSystemEnvironment(): Record<string, string> {
  const names = [
    "HOME",
    "USERPROFILE",
    "XDG_CACHE_HOME",
    "DENO_DIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NPM_CONFIG_REGISTRY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
  ];
  const found: Record<string, string> = {
    DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system",
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    // The parts of the stack talk to each other directly, whatever proxy leads outside.
    NO_PROXY: [Deno.env.get("NO_PROXY"), "127.0.0.1", "localhost"].filter(Boolean).join(","),
  };
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

async function run(path: string, args: readonly string[]): Promise<string> {
  const command = new Deno.Command(path, {
    args: [...args],
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system", NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(FIND_TIMEOUT_MS),
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return new TextDecoder().decode(stdout).trim();
  const told = new TextDecoder().decode(stderr);
  // npm talks before it fails: the line that says so is the one to quote.
  throw new Error(`"${path}" failed: ${/^.*error\b.*$/im.exec(told)?.[0] ?? oneLine(told)}`);
}

async function describe(path: string, note: string): Promise<DenoBinary> {
  const version = await run(path, [...EVALUATE, "console.log(Deno.version.deno)"]);
  return version === PLATFORM_DENO_VERSION ? { path, version } : { path, version, note };
}

/**
 * Finds the Deno for the functions: `CONNECTOR_FUNCTIONS_DENO` where it is set, else the platform's
 * version from npm, else the Deno that runs this program.
 */
export async function findFunctionsDeno(): Promise<DenoBinary> {
  const chosen = Deno.env.get("CONNECTOR_FUNCTIONS_DENO");
  if (chosen !== undefined && chosen !== "") {
    return await describe(chosen, "CONNECTOR_FUNCTIONS_DENO names another version");
  }
  try {
    const print = "console.log(Deno.execPath())";
    const path = await run("npx", ["--yes", `deno@${PLATFORM_DENO_VERSION}`, ...EVALUATE, print]);
    return { path, version: PLATFORM_DENO_VERSION };
  } catch (cause) {
    // Any Deno runs the functions; only their fidelity to the platform is less, and is said.
    const note = `Deno ${PLATFORM_DENO_VERSION} is not to be had (${oneLine(cause)})`;
    return { path: Deno.execPath(), version: Deno.version.deno, note };
  }
}
