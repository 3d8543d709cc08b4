/** A person connects an account in a browser, and nothing that was given away lies about in clear. */
import assert from "node:assert/strict";
import { findChromium, openChromium } from "./consent/chromium_visitor.ts";
import { openFetchVisitor } from "./consent/fetch_visitor.ts";
import { breakTokenAnswer, readEverything, replayCode } from "./consent/function_tour.ts";
import { expectNoSecretInClear, expectSearchFinds } from "./consent/no_secrets.ts";
import { addEndpoint, expectEnd, type Stage, startStage, syncOnce } from "./consent/stage.ts";
import type { StagedProvider } from "./consent/staged_provider.ts";
import type { Visitor } from "./consent/visitor.ts";

const DRIVE_SCOPE = "https://www.googleapis.com/auth/drive.metadata.readonly";

Deno.test("a person connects an account in a browser, its files appear, and no secret is left in clear", async (t) => {
  await using stage = await startStage();
  await using person = await openBrowser();
  const visitors: Visitors = { person, withoutScripts: openFetchVisitor() };
  for (const provider of [stage.google, stage.autodesk]) {
    await t.step(provider.endpointType, (step) => showProvider(step, stage, provider, visitors));
  }
  await t.step(
    "who leaves a permission out comes back with a sentence, and stays connected",
    async () => {
      for (const visitor of Object.values(visitors)) await expectLeftOut(stage, visitor);
    },
  );
  await t.step("every function is called, and some fail", () => callFunctions(stage));
  await t.step(
    "no secret is in clear in logs, answers or tables, where it would be found",
    async () => {
      await expectNoSecretInClear(stage);
      await expectSearchFinds(stage);
    },
  );
  for (const provider of [stage.google, stage.autodesk]) {
    await t.step(
      `${provider.endpointType}: who disconnects is revoked at the provider`,
      async () => {
        await expectDisconnect(stage, provider);
      },
    );
  }
  await t.step("nor is one afterwards", () => expectNoSecretInClear(stage));
});

/** One with the best browser of this machine, and one whose browser runs no scripts. */
interface Visitors {
  readonly person: Visitor;
  readonly withoutScripts: Visitor;
}

async function showProvider(
  t: Deno.TestContext,
  stage: Stage,
  provider: StagedProvider,
  { person, withoutScripts }: Visitors,
): Promise<void> {
  const endpointId = await addEndpoint(stage, provider, provider.userConfig);
  await t.step("before, a sync says where to connect an account", async () => {
    const state = await syncOnce(stage, endpointId, "needs_reauthorization");
    assert.equal(state.last_error_code, "grant_missing");
    const address = `${stage.stack.info.functions_url}/oauth/authorize?endpoint_id=${endpointId}`;
    assert.ok(state.last_error_message?.includes(address), `${state.last_error_message}`);
  });
  for (const visitor of [person, withoutScripts]) {
    await t.step(`who refuses comes back with a sentence (${visitor.kind})`, async () => {
      const back = await consent(stage, provider, endpointId, visitor, "deny");
      assert.equal(back.searchParams.get("error"), "consent_denied");
      assert.match(back.searchParams.get("error_description") ?? "", /access was refused/);
      assert.deepEqual(await activeGrants(stage, endpointId), []);
    });
  }
  for (const visitor of [withoutScripts, person]) {
    await t.step(`who allows it is connected (${visitor.kind})`, async () => {
      const back = await consent(stage, provider, endpointId, visitor, "allow");
      assert.deepEqual([...back.searchParams], [["connected", endpointId]]);
      assert.deepEqual(await activeGrants(stage, endpointId), ["user"]);
    });
  }
  await t.step("the person's files appear", async () => {
    await expectEnd(stage, endpointId, "completed");
    assert.deepEqual(await filesOf(stage, endpointId), provider.files);
  });
  await t.step("nothing of it is in clear", () => expectNoSecretInClear(stage));
  await t.step("it stays connected when its token runs out", async () => {
    await expectRefresh(stage, provider, endpointId);
  });
  await t.step("the application's own accounts go on beside it", async () => {
    await expectApplications(stage, provider);
  });
}

async function openBrowser(): Promise<Visitor> {
  const path = await findChromium();
  if (path !== null) return await openChromium(path);
  const note = "note: no Chromium here: the pages of consent are walked with fetch\n";
  Deno.stdout.writeSync(new TextEncoder().encode(note));
  return openFetchVisitor();
}

async function consent(
  { app }: Stage,
  { page }: StagedProvider,
  endpointId: string,
  visitor: Visitor,
  decision: "allow" | "deny",
): Promise<URL> {
  await visitor.open(app.connectPage(endpointId));
  await visitor.press("Connect", page.url);
  assert.match(await visitor.text(), /File Connector/);
  await visitor.choose(page.accountField, page.account);
  return await visitor.press(page[decision], app.doneUrl);
}

async function activeGrants({ sql }: Stage, endpointId: string): Promise<string[]> {
  const rows = await sql<{ grant_type: string }[]>`
    select grant_type from public.oauth_tokens where endpoint_id = ${endpointId} and is_active`;
  return rows.map(({ grant_type: type }) => type);
}

async function filesOf({ user }: Stage, endpointId: string): Promise<string[]> {
  const { data, error } = await user.from("files").select("file_name")
    .eq("endpoint_id", endpointId).eq("sync_status", "completed").order("file_name");
  assert.equal(error, null);
  return (data ?? []).map((row) => String(row.file_name));
}

async function expectApplications(stage: Stage, provider: StagedProvider): Promise<void> {
  for (const config of provider.applicationConfigs) {
    const endpointId = await addEndpoint(stage, provider, config);
    await syncOnce(stage, endpointId, "completed");
    assert.equal((await filesOf(stage, endpointId)).length, 1);
    assert.deepEqual(await activeGrants(stage, endpointId), ["application"]);
  }
}

async function expectRefresh(
  stage: Stage,
  { server }: StagedProvider,
  endpointId: string,
): Promise<void> {
  const { sql } = stage;
  const issued = () => server.knownSecrets().filter(({ kind }) => kind === "access_token").length;
  const before = issued();
  await sql`
    update public.oauth_tokens set expires_at = now() - interval '1 minute'
    where endpoint_id = ${endpointId} and is_active`;
  await syncOnce(stage, endpointId, "completed");
  assert.equal(issued(), before + 1);
  const [token] = await sql<{ is_fresh: boolean }[]>`
    select expires_at > now() + interval '50 minutes' as is_fresh
    from public.oauth_tokens where endpoint_id = ${endpointId} and is_active`;
  assert.equal(token?.is_fresh, true);
}

async function expectLeftOut(stage: Stage, visitor: Visitor): Promise<void> {
  const { app, google } = stage;
  const endpointId = await connectedEndpoint(stage, google);
  await visitor.open(app.connectPage(endpointId));
  await visitor.press("Connect", google.page.url);
  await visitor.choose(google.page.accountField, google.page.account);
  await visitor.untick("granted", DRIVE_SCOPE);
  const back = await visitor.press(google.page.allow, app.doneUrl);
  assert.ok(["scope_missing", "consent_denied"].includes(back.searchParams.get("error") ?? ""));
  assert.ok((back.searchParams.get("error_description") ?? "").length > 20);
  assert.deepEqual(await activeGrants(stage, endpointId), ["user"]);
}

async function callFunctions(stage: Stage): Promise<void> {
  const { google, autodesk } = stage;
  const endpointIds = [
    await connectedEndpoint(stage, google),
    await connectedEndpoint(stage, autodesk),
  ];
  await readEverything(stage, endpointIds);
  await replayCode(stage, google, endpointIds[0] ?? "");
  await replayCode(stage, autodesk, endpointIds[1] ?? "");
  await breakTokenAnswer(stage, google, endpointIds[0] ?? "");
}

async function expectDisconnect(stage: Stage, provider: StagedProvider): Promise<void> {
  const endpointId = await connectedEndpoint(stage, provider);
  const response = await fetch(`${stage.stack.info.functions_url}/oauth/disconnect`, {
    method: "POST",
    headers: { authorization: `Bearer ${stage.userToken}`, "content-type": "application/json" },
    body: JSON.stringify({ endpoint_id: endpointId }),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.deepEqual([answer.disconnected, answer.revoked], [true, true]);
  assert.equal(provider.server.control.counters().calls["revoke"], 1);
  assert.deepEqual(await activeGrants(stage, endpointId), []);
  const state = await expectEnd(stage, endpointId, "needs_reauthorization");
  assert.match(state.last_error_message ?? "", /disconnected/);
}

async function connectedEndpoint({ sql }: Stage, provider: StagedProvider): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    select e.id from public.endpoints as e join public.oauth_tokens as t on t.endpoint_id = e.id
    where t.is_active and t.grant_type = 'user' and e.endpoint_type = ${provider.endpointType}`;
  assert.ok(row !== undefined);
  return row.id;
}
