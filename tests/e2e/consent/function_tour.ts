/** Calls of every function, good and bad, so that their answers and logs are there to be searched. */
import assert from "node:assert/strict";
import { type Stage, syncOnce } from "./stage.ts";
import type { StagedProvider } from "./staged_provider.ts";

/** Who calls a function. */
type Caller = Readonly<Record<string, string>>;

/** Reads what the functions tell users and operators, and tests the endpoints of people. */
export async function readEverything(stage: Stage, endpointIds: readonly string[]): Promise<void> {
  const { functions_url: base, secret_key: secretKey } = stage.stack.info;
  const user = { authorization: `Bearer ${stage.userToken}` };
  const operator = { apikey: secretKey };
  const get = async (path: string, headers: Caller, status = 200) => {
    const response = await fetch(`${base}/${path}`, { headers });
    assert.equal(response.status, status, await response.text());
  };
  await get("health", {});
  await get("status", user);
  await get("status", operator);
  await get("status?format=prometheus", operator);
  await get(`oauth/authorize?endpoint_id=${endpointIds[0]}`, {}, 401);
  for (const endpointId of endpointIds) {
    const response = await fetch(`${base}/test-endpoint`, {
      method: "POST",
      headers: { ...user, "content-type": "application/json" },
      body: JSON.stringify({ endpoint_id: endpointId }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.equal(JSON.parse(text).ok, true, text);
  }
}

/** Comes back from the provider with a code that was used, and with a state that is none. */
export async function replayCode(
  stage: Stage,
  provider: StagedProvider,
  endpointId: string,
): Promise<void> {
  const { functions_url: base } = stage.stack.info;
  const code = provider.server.knownSecrets().find(({ kind }) => kind === "code")?.value ?? "";
  const begun = await fetch(`${base}/oauth/authorize?endpoint_id=${endpointId}`, {
    headers: { authorization: `Bearer ${stage.userToken}`, accept: "application/json" },
  });
  const { authorization_url: address } = await begun.json();
  const state = new URL(address).searchParams.get("state") ?? "";
  for (const given of [state, state, "nonsense"]) {
    const query = new URLSearchParams({ code, state: given });
    const response = await fetch(`${base}/oauth/callback?${query}`, { redirect: "manual" });
    const text = await response.text();
    assert.ok(response.status >= 400, text);
    assert.equal(typeof JSON.parse(text).code, "string");
  }
}

/** The token address answers with half of what it should: the sync after that goes on. */
export async function breakTokenAnswer(
  stage: Stage,
  provider: StagedProvider,
  endpointId: string,
): Promise<void> {
  await stage.sql`
    update public.oauth_tokens set expires_at = now() - interval '1 minute'
    where endpoint_id = ${endpointId} and is_active`;
  provider.server.control.addFault({ fault: { type: "truncated" }, method: "token", times: 1 });
  await syncOnce(stage, endpointId, null);
  assert.deepEqual(provider.server.control.faults.pending, []);
  await syncOnce(stage, endpointId, "completed");
}
