import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Secret } from "../secret.ts";

/** What a client needs; `fetch` should carry a time limit of its own. */
export interface ClientOptions {
  readonly url: string;
  readonly fetch: typeof fetch;
}

/** A client that acts as `service_role`: it passes by Row Level Security. */
export function createAdminClient(options: ClientOptions, secretKey: Secret): SupabaseClient {
  return createClient(options.url, secretKey.reveal(), clientSettings(options.fetch, {}));
}

/** A client that acts as the signed-in user whose access token is given: their rows alone. */
export function createUserClient(
  options: ClientOptions,
  publishableKey: string,
  accessToken: Secret,
): SupabaseClient {
  const headers = { Authorization: `Bearer ${accessToken.reveal()}` };
  return createClient(options.url, publishableKey, clientSettings(options.fetch, headers));
}

// A function serves many callers from one process: no session may be kept, refreshed or shared.
function clientSettings(fetch: typeof globalThis.fetch, headers: Record<string, string>) {
  return {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch, headers },
  };
}
