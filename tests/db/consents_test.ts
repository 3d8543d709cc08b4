import assert from "node:assert/strict";
import { ADA, addEndpoint, failureOf, GRACE, type Sql, withDatabase } from "../support/database.ts";
import { call, type Json } from "../support/rpc.ts";

const beginConsent = (sql: Sql, endpointId: string, more: Json = {}) =>
  call(sql, "connector_begin_consent", {
    consent_id: crypto.randomUUID(),
    endpoint_id: endpointId,
    user_id: ADA,
    code_verifier: "sealed",
    redirect_to: null,
    lifetime_seconds: 600,
    ...more,
  });

async function takeConsent(sql: Sql, consentId: string) {
  const [row] = await sql`select public.connector_take_consent(${consentId}) as consent`;
  return row?.consent;
}

Deno.test("a consent is taken once", () =>
  withDatabase(async (sql) => {
    const endpointId = await addEndpoint(sql);
    const consentId = crypto.randomUUID();
    await beginConsent(sql, endpointId, { consent_id: consentId, redirect_to: "https://app" });
    const taken = await takeConsent(sql, consentId);
    assert.equal(taken.endpoint_id, endpointId);
    assert.equal(taken.user_id, ADA);
    assert.equal(taken.code_verifier, "sealed");
    assert.equal(taken.redirect_to, "https://app");
    assert.equal(taken.endpoint_type, "google_drive");
    assert.equal(await takeConsent(sql, consentId), null);
  }));

Deno.test("of two connections that take one consent at once, one gets it", () =>
  withDatabase(async (sql) => {
    const endpointId = await addEndpoint(sql);
    const consentId = crypto.randomUUID();
    await beginConsent(sql, endpointId, { consent_id: consentId });
    const taken = await Promise.all(Array.from({ length: 4 }, () => takeConsent(sql, consentId)));
    assert.equal(taken.filter((consent) => consent !== null).length, 1);
  }));

Deno.test("an expired consent is worth nothing", () =>
  withDatabase(async (sql) => {
    const endpointId = await addEndpoint(sql);
    const consentId = crypto.randomUUID();
    await beginConsent(sql, endpointId, { consent_id: consentId, lifetime_seconds: 0 });
    assert.equal(await takeConsent(sql, consentId), null);
  }));

Deno.test("a consent of an endpoint that changed hands is worth nothing", () =>
  withDatabase(async (sql) => {
    const endpointId = await addEndpoint(sql);
    const consentId = crypto.randomUUID();
    await beginConsent(sql, endpointId, { consent_id: consentId });
    await sql`update public.endpoints set user_id = ${GRACE} where id = ${endpointId}`;
    assert.equal(await takeConsent(sql, consentId), null);
  }));

Deno.test("a consent for another's endpoint is not begun", () =>
  withDatabase(async (sql) => {
    const endpointId = await addEndpoint(sql, { user_id: GRACE });
    assert.equal((await failureOf(beginConsent(sql, endpointId))).code, "PT404");
  }));

Deno.test("an endpoint has five consents under way at most, the latest", () =>
  withDatabase(async (sql) => {
    const endpointId = await addEndpoint(sql);
    const ids = Array.from({ length: 7 }, () => crypto.randomUUID());
    for (const [n, id] of ids.entries()) {
      await beginConsent(sql, endpointId, { consent_id: id, lifetime_seconds: 600 + n });
    }
    const left = await sql`select consent_id from connector.consents order by expires_at`;
    assert.deepEqual(left.map((row) => row.consent_id), ids.slice(2));
  }));
