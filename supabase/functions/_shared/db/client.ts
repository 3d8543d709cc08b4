import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Secret } from "../secret.ts";
import { createEncodedRpc, type EncodedRpc } from "./encoded_rpc.ts";

/** What a client needs; `fetch` should carry a time limit of its own. */
export interface ClientOptions {
  readonly url: string;
  readonly fetch: typeof fetch;
}

/** A client that can also call database functions with arguments that are JSON text already. */
export type AdminClient = SupabaseClient & { readonly rpcEncoded: EncodedRpc };

/** A client that acts as `service_role`: it passes by Row Level Security. */
export function createAdminClient(options: ClientOptions, secretKey: Secret): AdminClient {
  const client = createClient(options.url, secretKey.reveal(), clientSettings(options.fetch, {}));
  return Object.assign(client, { rpcEncoded: createEncodedRpc(options, secretKey) });
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
