import assert from "node:assert/strict";
import { type AutodeskSync, pathsOf, stateOf, withAutodeskSync } from "../support/autodesk_sync.ts";
import { addConnected, consent, tokenCalls } from "./connected_autodesk.ts";
import { connectAccount, readGrant } from "./granted.ts";

function addFile({ model, place }: AutodeskSync, name: string): void {
  model.createItem({ name, parent: place.folderId });
}

Deno.test("an endpoint with a connected account is read as that person, with one refresh", () =>
  withAutodeskSync(async (world) => {
    const { sql } = world;
    addFile(world, "plan.pdf");
    const endpointId = await addConnected(world, sql);
    await world.sync();
    assert.deepEqual(await pathsOf(sql, endpointId), ["/Project Files/plan.pdf"]);
    assert.equal((await stateOf(sql, endpointId)).status, "completed");
    assert.equal(tokenCalls(world), 1);
    assert.equal((await readGrant(sql, endpointId)).generation, 2);
    await world.sync();
    assert.equal(tokenCalls(world), 1);
  }));

Deno.test("a person's token that the provider refuses is refreshed once, and the sync goes on", () =>
  withAutodeskSync(async (world) => {
    const { sql } = world;
    addFile(world, "plan.pdf");
    // The stored access token is none of the emulator's, though it has time left.
    const endpointId = await addConnected(world, sql, { secondsLeft: 3_000 });
    await world.sync();
    assert.deepEqual(await pathsOf(sql, endpointId), ["/Project Files/plan.pdf"]);
    assert.deepEqual([tokenCalls(world), (await readGrant(sql, endpointId)).generation], [1, 2]);
  }));

for (const shape of ["oauth", "gateway"] as const) {
  Deno.test(`a grant that was taken back asks for its owner, and nobody tries again (${shape})`, () =>
    withAutodeskSync(async (world) => {
      const { sql, aps } = world;
      const endpointId = await addConnected(world, sql);
      aps.control.setAuthErrorShape(shape);
      aps.control.revokeRefreshTokens();
      await world.sync();
      const { status, code, run_code } = await stateOf(sql, endpointId);
      assert.deepEqual([status, code, run_code], [
        "needs_reauthorization",
        "grant_revoked",
        "grant_revoked",
      ]);
      assert.equal(tokenCalls(world), 1);
      await world.sync();
      assert.equal(tokenCalls(world), 1);
    }));
}

Deno.test("auth in endpoint_config decides whose token is used; the other is never touched", () =>
  withAutodeskSync(async (world) => {
    const { sql, place } = world;
    addFile(world, "plan.pdf");
    const config = (auth: string) => sql.json({ project_id: place.projectId, auth });
    const asApplication = await addConnected(world, sql, {
      endpoint: { endpoint_config: config("application") },
    });
    await world.sync();
    assert.deepEqual(await pathsOf(sql, asApplication), ["/Project Files/plan.pdf"]);
    assert.equal((await readGrant(sql, asApplication)).generation, 1);

    await sql`update public.endpoints set endpoint_config = ${config("user")}`;
    await world.sync();
    assert.equal((await stateOf(sql, asApplication)).status, "completed");
    assert.equal((await readGrant(sql, asApplication)).generation, 2);
  }));

Deno.test("an endpoint that is to be read as a person waits for an account, and says where to connect one", () =>
  withAutodeskSync(async (world) => {
    const { sql, place } = world;
    const endpointId = await world.add({ project_id: place.projectId, auth: "user" });
    await world.sync();
    const { status, code, message } = await stateOf(sql, endpointId);
    assert.deepEqual([status, code], ["needs_reauthorization", "grant_missing"]);
    assert.match(
      message ?? "",
      new RegExp(`/functions/v1/oauth/authorize\\?endpoint_id=${endpointId}$`),
    );
    assert.equal(tokenCalls(world), 0);
  }));

Deno.test("an endpoint whose account was disconnected is not read as the application", () =>
  withAutodeskSync(async (world) => {
    const { sql } = world;
    const endpointId = await addConnected(world, sql);
    await sql`select public.connector_disconnect(${endpointId})`;
    await world.sync();
    assert.equal((await stateOf(sql, endpointId)).code, "grant_missing");
    assert.equal(tokenCalls(world), 0);
  }));

Deno.test("an auth that means nothing is the owner's to mend", () =>
  withAutodeskSync(async (world) => {
    const { sql, place } = world;
    const endpointId = await world.add({ project_id: place.projectId, auth: "robot" });
    await world.sync();
    const { status, code, message } = await stateOf(sql, endpointId);
    assert.deepEqual([status, code], ["needs_attention", "config_invalid"]);
    assert.match(message ?? "", /auth in endpoint_config/);
  }));

Deno.test("one endpoint's lost grant does not touch the others", () =>
  withAutodeskSync(async (world) => {
    const { sql, place } = world;
    addFile(world, "plan.pdf");
    const lost = await connectAccount(sql, {
      refreshToken: "of nobody",
      endpoint: {
        endpoint_type: "autodesk_construction_cloud",
        endpoint_config: sql.json({ project_id: place.projectId }),
      },
    });
    const healthy = await addConnected(world, sql, { refreshToken: consent(world, "Grace") });
    await world.sync();
    assert.equal((await stateOf(sql, lost)).status, "needs_reauthorization");
    assert.equal((await stateOf(sql, healthy)).status, "completed");
  }));
