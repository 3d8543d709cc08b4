import { repositoryRoot } from "../../local/paths.ts";
import { createTerminal, type Terminal } from "../../local/terminal.ts";

/** What the two commands touch. */
export interface DeployDeps {
  readonly terminal: Terminal;
  /** The folder that holds `supabase/`. */
  readonly root: string;
  /** The environment, which the Supabase CLI gets as well. */
  readonly env: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  /** Milliseconds that only go forward. */
  readonly clock: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Status of a step that failed. */
export const FAILED = 1;
/** Status of wrong use, or of a failed check: nothing was changed. */
export const REFUSED = 2;

/** The real ones. */
export function liveDeployDeps(): DeployDeps {
  return {
    terminal: createTerminal(),
    root: repositoryRoot(),
    env: Deno.env.toObject(),
    fetch: globalThis.fetch,
    clock: () => performance.now(),
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}
