import { freshFetch } from "../http/fresh_fetch.ts";
import { liveDeps } from "./live_deps.ts";
import type { OAuthFunctionDeps } from "./oauth.ts";

/** {@linkcode liveDeps}, and what only a function that connects accounts touches. */
export function liveOAuthDeps(slug: string): OAuthFunctionDeps {
  return {
    ...liveDeps(slug),
    tokenFetch: freshFetch,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  };
}
