import { freshFetch } from "../http/fresh_fetch.ts";
import { sleep } from "../sync/sleep.ts";
import { liveDeps } from "./live_deps.ts";
import type { SyncFunctionDeps } from "./sync.ts";

/** {@linkcode liveDeps}, and what only a function that works in the background touches. */
export function liveSyncDeps(slug: string): SyncFunctionDeps {
  return {
    ...liveDeps(slug),
    tokenFetch: freshFetch,
    sleep,
    random: Math.random,
    unloading: unloadSignal(globalThis),
  };
}

/**
 * Aborted when the platform is about to end the worker: at nine tenths of its wall clock, CPU time
 * or memory. https://supabase.com/docs/guides/functions/background-tasks
 */
function unloadSignal(scope: EventTarget): AbortSignal {
  const unload = new AbortController();
  scope.addEventListener("beforeunload", () => unload.abort(), { once: true });
  return unload.signal;
}
