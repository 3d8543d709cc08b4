import { createClient } from "@supabase/supabase-js";
import { oneLine, StackError } from "../failure.ts";
import { signUserToken } from "../keys.ts";
import { DEMO_USERS, type Stack } from "../stack.ts";

/** An endpoint that shows something of this machine; known again by its name. */
export interface DemoEndpoint {
  readonly name: string;
  readonly endpoint_type: string;
  readonly endpoint_config: Readonly<Record<string, string>>;
  readonly description: string;
}

const [OWNER] = DEMO_USERS;

/**
 * Makes sure that a demo endpoint exists and points where it should. It is made the way a signed-in
 * user makes one: through the REST API, as that user.
 */
export async function ensureDemoEndpoint(stack: Stack, demo: DemoEndpoint): Promise<string> {
  const { api_url: apiUrl, publishable_key: key } = stack.info;
  const token = await signUserToken(stack.keys, OWNER, { apiUrl });
  const client = createClient(apiUrl, key, { accessToken: () => Promise.resolve(token) });
  const row = {
    endpoint_config: demo.endpoint_config,
    enabled: true,
    schedule_type: "interval",
    interval_minutes: 1,
    max_files_per_sync: null,
  };
  const { data: existing, error } = await client.from("endpoints")
    .select("id, endpoint_config").eq("name", demo.name).limit(1).maybeSingle();
  if (error !== null) throw failure(error);
  if (existing === null) {
    const made = await client.from("endpoints").insert({
      ...row,
      name: demo.name,
      endpoint_type: demo.endpoint_type,
      project_id: "demo",
      user_id: OWNER.id,
      description: demo.description,
    }).select("id").single();
    if (made.error !== null) throw failure(made.error);
    return String(made.data.id);
  }
  const changed = await client.from("endpoints").update(row).eq("id", existing.id);
  if (changed.error !== null) throw failure(changed.error);
  // One that was synced by an earlier start is wanted now too, not at its next interval.
  const asked = await client.rpc("request_sync", { endpoint_id: existing.id });
  if (asked.error !== null) throw failure(asked.error);
  return String(existing.id);
}

function failure(cause: { readonly message: string }): StackError {
  return new StackError(`Cannot make the demo endpoint: ${oneLine(cause.message)}`, { cause });
}
