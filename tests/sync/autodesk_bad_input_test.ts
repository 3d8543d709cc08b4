import assert from "node:assert/strict";
import {
  autodeskSettings,
  type AutodeskSync,
  CLIENT_ID,
  pathsOf,
  stateOf,
  withAutodeskSync,
} from "../support/autodesk_sync.ts";

interface Failure {
  readonly status?: string;
  readonly code: string;
  /** Found in the sentence for the owner. */
  readonly says: RegExp;
}

async function assertFailed({ sql }: AutodeskSync, endpoint: string, failure: Failure) {
  const state = await stateOf(sql, endpoint);
  assert.equal(state.code, failure.code, state.message ?? "");
  assert.equal(state.status, failure.status ?? "needs_attention");
  assert.match(state.message ?? "", failure.says);
  assert.deepEqual([state.run_code, state.run_message], [state.code, state.message]);
}

interface Case {
  readonly name: string;
  /** Spoils the world and answers the bad `endpoint_config`. */
  readonly spoil: (world: AutodeskSync) => Record<string, unknown>;
  readonly failure: Failure;
}

const CASES: readonly Case[] = [
  {
    name: "a project id that does not exist",
    spoil: () => ({ project_id: "b.11111111-2222-4333-8444-555555555555" }),
    failure: { code: "scope_not_found", says: /project_id/ },
  },
  {
    name: "a project id that is no id",
    spoil: () => ({ project_id: "Our Building" }),
    failure: { code: "config_invalid", says: /project_id must be/ },
  },
  {
    name: "the id of another hub",
    spoil: ({ model, place }) => {
      const hub = model.addHub({ name: "Other", clients: [CLIENT_ID] });
      return { project_id: place.projectId, hub_id: hub.id };
    },
    failure: { code: "config_invalid", says: /hub_id must be the hub it lies in/ },
  },
  {
    name: "a hub that does not know the client",
    spoil: ({ model, place }) => {
      model.setProvisioned(place.hubId, CLIENT_ID, false);
      return { project_id: place.projectId, hub_id: place.hubId };
    },
    failure: { code: "api_disabled", says: /add client id|Custom Integrations/ },
  },
  {
    name: "no account that knows the client",
    spoil: ({ model, place }) => {
      model.setProvisioned(place.hubId, CLIENT_ID, false);
      return { project_id: place.projectId };
    },
    failure: { code: "api_disabled", says: /account admin must add .*Custom Integrations/ },
  },
  {
    name: "a client_id whose secret is not configured",
    spoil: ({ place }) => ({ project_id: place.projectId, client_id: "Unconfigured" }),
    failure: { code: "credentials_invalid", says: /"Unconfigured".*CONNECTOR_AUTODESK_CLIENTS/ },
  },
  {
    name: "a client secret that has expired",
    spoil: ({ aps, place }) => {
      aps.control.setClientSecret(CLIENT_ID, "a new one");
      return { project_id: place.projectId };
    },
    failure: { code: "credentials_invalid", says: /expired.*CONNECTOR_AUTODESK_CLIENT_SECRET/ },
  },
  {
    name: "folder ids of another project",
    spoil: ({ model, place }) => {
      const other = model.addProject({ name: "Other", hub: place.hubId });
      const folder = model.createFolder({ name: "Files", parent: other.root.id });
      return { project_id: place.projectId, folder_ids: [folder.id] };
    },
    failure: { code: "scope_not_found", says: /belongs to another project/ },
  },
  {
    name: "a user who is not known",
    spoil: ({ place }) => ({ project_id: place.projectId, x_user_id: "NOBODY" }),
    failure: { code: "access_denied", says: /x_user_id|user/ },
  },
];

for (const { name, spoil, failure } of CASES) {
  Deno.test(`${name} needs attention, and nothing is deleted`, () =>
    withAutodeskSync(async (world) => {
      const { model, place } = world;
      model.createItem({ name: "a.pdf", parent: place.folderId });
      world.wait();
      const endpoint = await world.add();
      await world.sync();
      const config = JSON.stringify(spoil(world));
      // The access token was issued before whatever is wrong now.
      await world.sql`delete from public.oauth_tokens`;
      await world.sql`
        update public.endpoints set endpoint_config = ${config}::text::jsonb where id = ${endpoint}`;
      await world.sync();
      await assertFailed(world, endpoint, failure);
      assert.deepEqual(await pathsOf(world.sql, endpoint), ["/Project Files/a.pdf"]);
    }));
}

Deno.test("a region that does not answer is waited for, and is no deletion", () =>
  withAutodeskSync(async (world) => {
    const { model, place, aps, sql } = world;
    model.createItem({ name: "a.pdf", parent: place.folderId });
    world.wait();
    const endpoint = await world.add();
    await world.sync();
    aps.control.setRegionOutage("US", 500);
    await sql`update connector.endpoint_states set provider_memory = null`;
    await sql`select public.request_sync(${endpoint}, 'full')`;
    await world.sync();
    await assertFailed(world, endpoint, { status: "failed", code: "unavailable", says: /region/ });
    assert.equal((await pathsOf(sql, endpoint)).length, 1);
    aps.control.setRegionOutage("US", null);
    await world.sync();
    assert.equal((await stateOf(sql, endpoint)).status, "completed");
  }));

Deno.test("an application of its own reads for an endpoint that names it", () =>
  withAutodeskSync(async (world) => {
    const { model, place, aps, sql } = world;
    model.createItem({ name: "a.pdf", parent: place.folderId });
    world.wait();
    aps.registerApp({ clientId: "OtherApp", clientSecret: "other" });
    model.setProvisioned(place.hubId, "OtherApp", true);
    model.setProvisioned(place.hubId, CLIENT_ID, false);
    const endpoint = await world.add({ client_id: "OtherApp", project_id: place.projectId });
    const settings = autodeskSettings({ CONNECTOR_AUTODESK_CLIENTS: '{"OtherApp":"other"}' });
    await world.sync({ settings });
    assert.equal((await stateOf(sql, endpoint)).status, "completed");
    assert.equal((await pathsOf(sql, endpoint)).length, 1);
  }));
