import assert from "node:assert/strict";
import {
  autodeskSettings,
  type AutodeskSync,
  CLIENT_ID,
  filesOf,
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
  /** Spoils the world and answers the bad `endpoint_config`; `null`: it stays as it was. */
  readonly spoil: (world: AutodeskSync) => Record<string, unknown> | null;
  readonly failure: Failure;
}

const UNKNOWN_PROJECT = "b.11111111-2222-4333-8444-555555555555";
const LET_IN =
  `an account admin must add client id "${CLIENT_ID}" under Account Admin → Settings → ` +
  "Custom Integrations";

/** A sentence, all of it or how it begins and goes on. */
function saying(...parts: readonly string[]): RegExp {
  return new RegExp(parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"));
}

const CASES: readonly Case[] = [
  {
    name: "a project id that does not exist",
    spoil: () => ({ project_id: UNKNOWN_PROJECT }),
    failure: {
      code: "scope_not_found",
      says: saying(
        `Cannot find project "${UNKNOWN_PROJECT}" in hub "b.`,
        "correct project_id, or check that the project is active",
      ),
    },
  },
  {
    name: "a project id that is no id",
    spoil: () => ({ project_id: "Our Building" }),
    failure: {
      code: "config_invalid",
      says: saying("project_id must be the id of a project", 'current value is "Our Building"'),
    },
  },
  {
    name: "the id of another hub",
    spoil: ({ model, place }) => {
      const hub = model.addHub({ name: "Other", clients: [CLIENT_ID] });
      return { project_id: place.projectId, hub_id: hub.id };
    },
    failure: {
      code: "config_invalid",
      says: saying("hub_id must be the hub it lies in, ", 'current value is "b.'),
    },
  },
  {
    name: "the id of a hub that there is not",
    spoil: ({ place }) => ({ project_id: place.projectId, hub_id: UNKNOWN_PROJECT }),
    failure: {
      code: "config_invalid",
      says: saying("hub_id must be the hub it lies in, ", `current value is "${UNKNOWN_PROJECT}"`),
    },
  },
  {
    name: "a hub that does not know the client",
    spoil: ({ model, place }) => {
      model.setProvisioned(place.hubId, CLIENT_ID, false);
      return { project_id: place.projectId, hub_id: place.hubId };
    },
    failure: { code: "api_disabled", says: saying('Cannot see hub "b.', LET_IN) },
  },
  {
    name: "no account that knows the client",
    spoil: ({ model, place }) => {
      model.setProvisioned(place.hubId, CLIENT_ID, false);
      return { project_id: place.projectId };
    },
    failure: {
      code: "api_disabled",
      says: saying("Cannot see any Construction Cloud account", LET_IN),
    },
  },
  {
    name: "a client that is taken out of the account, with nothing changed here",
    spoil: ({ model, place }) => {
      model.setProvisioned(place.hubId, CLIENT_ID, false);
      return null;
    },
    failure: { code: "api_disabled", says: saying(LET_IN) },
  },
  {
    name: "a client_id whose secret is not configured",
    spoil: ({ place }) => ({ project_id: place.projectId, client_id: "Unconfigured" }),
    failure: {
      code: "credentials_invalid",
      says: saying('"Unconfigured"', "CONNECTOR_AUTODESK_CLIENTS"),
    },
  },
  {
    name: "a client secret that has expired",
    spoil: ({ aps }) => {
      aps.control.setClientSecret(CLIENT_ID, "a new one");
      return null;
    },
    failure: {
      code: "credentials_invalid",
      says: saying(
        `the secret of client id "${CLIENT_ID}": it is wrong, has expired or was replaced. ` +
          "Set the current one as CONNECTOR_AUTODESK_CLIENT_SECRET",
      ),
    },
  },
  {
    name: "a project in a region to which the client has no access",
    spoil: ({ aps, model, place }) => {
      model.addHub({ name: "Elsewhere", region: "EMEA", clients: [CLIENT_ID] });
      aps.control.setRegionOutage("US", 403);
      model.setProvisioned(place.hubId, CLIENT_ID, false);
      return { project_id: place.projectId };
    },
    failure: {
      code: "access_denied",
      says: saying("Autodesk shows nothing of US: correct project_id, or, ", LET_IN),
    },
  },
  {
    name: "no region to which the client has access",
    spoil: ({ aps, place }) => {
      aps.control.setRegionOutage("US", 403);
      return { project_id: place.projectId, hub_id: UNKNOWN_PROJECT };
    },
    failure: { code: "api_disabled", says: saying("(Autodesk shows it nothing of US): ", LET_IN) },
  },
  {
    name: "folder ids of another project",
    spoil: ({ model, place }) => {
      const other = model.addProject({ name: "Other", hub: place.hubId });
      const folder = model.createFolder({ name: "Files", parent: other.root.id });
      return { project_id: place.projectId, folder_ids: [folder.id] };
    },
    failure: {
      code: "scope_not_found",
      says: saying(
        'Cannot find folder "urn:adsk.',
        "belongs to another project",
        "correct folder_ids or project_id in endpoint_config",
      ),
    },
  },
  {
    name: "a user who is not known",
    spoil: ({ place }) => ({ project_id: place.projectId, x_user_id: "NOBODY" }),
    failure: {
      code: "access_denied",
      says: saying('does not know the user "NOBODY" of x_user_id', "correct x_user_id"),
    },
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
      const config = spoil(world);
      // The access token was issued before whatever is wrong now.
      await world.sql`delete from public.oauth_tokens`;
      if (config !== null) {
        await world.sql`
          update public.endpoints set endpoint_config = ${JSON.stringify(config)}::text::jsonb
          where id = ${endpoint}`;
        // A new endpoint knows of no hub yet.
        await world.sql`update connector.endpoint_states set provider_memory = null`;
      }
      await world.sync();
      await assertFailed(world, endpoint, failure);
      const files = await filesOf(world.sql, endpoint);
      assert.deepEqual(
        files.map(({ file_path, sync_status }) => [file_path, sync_status]),
        [["/Project Files/a.pdf", "completed"]],
      );
    }));
}

Deno.test("of a folder of another project beside one of this, the latter is synced and it is named", () =>
  withAutodeskSync(async (world) => {
    const { model, place, sql } = world;
    model.createItem({ name: "a.pdf", parent: place.folderId });
    const other = model.addProject({ name: "Other", hub: place.hubId });
    const folder = model.createFolder({ name: "Files", parent: other.root.id });
    world.wait();
    const endpoint = await world.add({
      project_id: place.projectId,
      folder_ids: [place.folderId, folder.id],
    });
    await world.sync();
    const state = await stateOf(sql, endpoint);
    assert.deepEqual([state.status, state.code], ["partial", "listing_incomplete"]);
    assert.match(
      state.message ?? "",
      saying(`Cannot find folder "${folder.id}"`, "correct folder_ids"),
    );
    assert.deepEqual(await pathsOf(sql, endpoint), ["/a.pdf"]);
  }));

Deno.test("a region without access that the project does not lie in changes nothing", () =>
  withAutodeskSync(async (world) => {
    const { model, place, aps, sql } = world;
    model.createItem({ name: "a.pdf", parent: place.folderId });
    model.addHub({ name: "Elsewhere", region: "EMEA", clients: [] });
    world.wait();
    const endpoint = await world.add();
    for (const status of [403, 401]) {
      aps.control.setRegionOutage("EMEA", status);
      await sql`update connector.endpoint_states set provider_memory = null`;
      await sql`select public.request_sync(${endpoint}, 'full')`;
      await world.sync();
      const { status: ended, message } = await stateOf(sql, endpoint);
      assert.equal(ended, "completed", message ?? "");
      assert.deepEqual(await pathsOf(sql, endpoint), ["/Project Files/a.pdf"]);
    }
  }));

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
