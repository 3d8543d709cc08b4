import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import type { ListingMode } from "../../../supabase/functions/_shared/providers/types.ts";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";
import { FakeAps, HUB, kinds, PROJECT, TOP, urn } from "./fake_aps.ts";
import { Table } from "./table.ts";

const OTHER_HUB = "b.hub-2";

function warning(status: string, region: string) {
  return {
    Id: null,
    HttpStatusCode: status,
    ErrorCode: "BIM360DM_ERROR",
    Title: `Unable to get hubs from BIM360DM ${region}.`,
    Detail: "You don't have permission to access this API",
  };
}

Deno.test("the hub is looked for once and remembered", async () => {
  const aps = new FakeAps();
  aps.hubs.set(OTHER_HUB, new Set(["b.another"]));
  aps.hubs.set("a.fusion", new Set([PROJECT]));
  const table = new Table(aps);
  const { start } = await table.run("full");
  deepEqual(start.memory, { hub_id: HUB });
  deepEqual(kinds(aps.calls), ["hubs", PROJECT, "topFolders", "contents"]);
  aps.calls = [];
  await table.run("full");
  deepEqual(kinds(aps.calls), [PROJECT, "topFolders", "contents"]);
});

Deno.test("a configured hub is not looked for, and an incremental run trusts it", async () => {
  const aps = new FakeAps();
  const config = { project_id: PROJECT, hub_id: HUB };
  const table = new Table(aps, config);
  await table.run("full");
  deepEqual(kinds(aps.calls), [PROJECT, "topFolders", "contents"]);
  table.memory = null;
  aps.nowMs += 60_000;
  await table.run("incremental");
  aps.calls = [];
  await table.run("incremental");
  deepEqual(kinds(aps.calls), ["topFolders"]);
});

Deno.test("a hub that is remembered wrongly is looked for again by a full run", async () => {
  const aps = new FakeAps();
  const table = new Table(aps);
  table.memory = { hub_id: OTHER_HUB };
  deepEqual((await table.run("full")).start.memory, { hub_id: HUB });
  table.memory = { hub: 7 };
  deepEqual((await table.run("full")).start.memory, { hub_id: HUB });
});

Deno.test("a hub that is remembered wrongly sends an incremental run back to the beginning", async () => {
  const aps = new FakeAps();
  const table = new Table(aps);
  table.memory = { hub_id: OTHER_HUB };
  await rejects(table.run("incremental"), { code: "cursor_expired" });
});

interface BadInput {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly arrange?: (aps: FakeAps) => void;
  readonly code: string;
  readonly message: RegExp;
}

const WRONG_PROJECT = { project_id: "b.wrong" };

const badInputs: readonly BadInput[] = [
  {
    name: "a wrong project id",
    config: WRONG_PROJECT,
    code: "scope_not_found",
    message: /project "b.wrong" in hub "b.hub-1": correct project_id/,
  },
  {
    name: "a wrong project id among several hubs",
    config: WRONG_PROJECT,
    arrange: (aps) => aps.hubs.set(OTHER_HUB, new Set()),
    code: "scope_not_found",
    message: /in 2 hubs: correct project_id/,
  },
  {
    name: "a wrong project id in the right hub",
    config: { ...WRONG_PROJECT, hub_id: HUB },
    code: "scope_not_found",
    message: /project "b.wrong" in hub "b.hub-1"/,
  },
  {
    name: "the id of another hub",
    config: { project_id: PROJECT, hub_id: OTHER_HUB },
    arrange: (aps) => aps.hubs.set(OTHER_HUB, new Set()),
    code: "config_invalid",
    message: /hub_id must be the hub it lies in, "b.hub-1": current value is "b.hub-2"/,
  },
  {
    name: "the id of a hub that nobody knows",
    config: { project_id: PROJECT, hub_id: "b.nowhere" },
    code: "config_invalid",
    message: /hub_id must be the hub it lies in/,
  },
  {
    name: "an application that was not let into the account",
    config: { project_id: PROJECT, client_id: "AbC" },
    arrange: (aps) => aps.hubs.clear(),
    code: "api_disabled",
    message: /account admin must add client id "AbC" under Account Admin → Settings → Custom Int/,
  },
  {
    name: "the settings' application that was not let into the configured hub",
    config: { project_id: PROJECT, hub_id: HUB },
    arrange: (aps) => aps.hubs.clear(),
    code: "api_disabled",
    message: /hub "b.hub-1": an account admin must add the client id set as CONNECTOR_AUTODESK_CLI/,
  },
  {
    name: "a region without access",
    arrange: (aps) => {
      aps.hubs.clear();
      aps.warnings = [warning("403", "EMEA"), warning("401", "AUS")];
    },
    code: "api_disabled",
    message: /nothing of EMEA, AUS\): an account admin must add/,
  },
  {
    name: "a region without access beside another one with",
    arrange: (aps) => {
      aps.hubs.set(HUB, new Set());
      aps.warnings = [warning("403", "EMEA")];
    },
    code: "access_denied",
    message: /Autodesk shows nothing of EMEA: correct project_id, or, if it lies there, an account/,
  },
  {
    name: "a region that does not answer",
    arrange: (aps) => {
      aps.hubs.clear();
      aps.warnings = [warning("503", "EMEA")];
    },
    code: "unavailable",
    message: /hubs of every region/,
  },
  {
    name: "a project that may not be read",
    config: { project_id: PROJECT, hub_id: HUB, x_user_id: "U1" },
    arrange: (aps) => aps.refused.set(PROJECT, 403),
    code: "access_denied",
    message: /give the client id .* access to it.*the user "U1" of x_user_id must be a member/,
  },
  {
    name: "a user who may read no folder",
    config: { project_id: PROJECT, x_user_id: "U1" },
    arrange: (aps) => aps.refused.set(TOP, 403),
    code: "access_denied",
    message: /shows the user "U1" of x_user_id no folder/,
  },
  {
    name: "folder ids of another project",
    config: { project_id: PROJECT, folder_ids: [urn("foreign")] },
    code: "scope_not_found",
    message: /folder "urn:.*foreign" in project "b.project-1": it belongs to another project/,
  },
  {
    name: "folder ids with a wrong project",
    config: { ...WRONG_PROJECT, folder_ids: [urn("foreign")] },
    code: "scope_not_found",
    message: /project "b.wrong" in hub/,
  },
  {
    name: "a deleted folder",
    config: { project_id: PROJECT, folder_ids: [TOP] },
    arrange: (aps) => aps.setHidden(TOP, true),
    code: "scope_not_found",
    message: /was deleted: restore it/,
  },
  {
    name: "a folder that may not be read",
    config: { project_id: PROJECT, folder_ids: [TOP] },
    arrange: (aps) => aps.refused.set(TOP, 403),
    code: "access_denied",
    message: /project admin must give permission/,
  },
];

for (const { name, config, arrange, code, message } of badInputs) {
  for (const mode of ["full", "incremental"] satisfies ListingMode[]) {
    Deno.test(`${name} ends a run (${mode}) with ${code} and a sentence that says what to do`, async () => {
      const aps = new FakeAps();
      arrange?.(aps);
      await rejects(new Table(aps, config).run(mode), (error: SyncError) => {
        match(error.message, message);
        equal(error.code, code);
        return true;
      });
    });
  }
}

Deno.test("a hub that is missing with a warning deletes nothing", async () => {
  const aps = new FakeAps();
  aps.addFile("a");
  const table = new Table(aps);
  await table.run("full");
  aps.hubs.clear();
  aps.warnings = [warning("403", "US")];
  await rejects(table.run("full"), { code: "api_disabled" });
  await rejects(table.run("incremental"), { code: "api_disabled" });
  equal(table.files.size, 1);
});

Deno.test("hubs are not searched without end", async () => {
  const aps = new FakeAps();
  aps.hubs.clear();
  for (let index = 0; index < 60; index++) aps.hubs.set(`b.${index}`, new Set());
  await rejects(new Table(aps).run("full"), {
    code: "config_invalid",
    message: /in the first 40 of 60 hubs: set hub_id/,
  });
  equal(aps.calls.length, 41);
});

Deno.test("some folders are read where others cannot be, and the run says so", async () => {
  const aps = new FakeAps();
  aps.addFolder("f");
  aps.addFolder("g", "f");
  aps.addFile("a", "g");
  const folder_ids = [urn("f"), urn("foreign"), urn("g")];
  const table = new Table(aps, { project_id: PROJECT, folder_ids });
  const { start, skipped } = await table.run("full");
  deepEqual(start.roots.map((root) => root.external_folder_id), [urn("f"), urn("g")]);
  deepEqual(skipped.map((each) => each.external_folder_id), [urn("foreign")]);
  // Folders that the endpoint names are tops of paths, though one lies in another.
  deepEqual([...table.paths().values()], ["/a.pdf"]);
});

Deno.test("unchanged folders of a scope cost a call each and are not read", async () => {
  const aps = new FakeAps();
  for (const word of ["f", "g"]) aps.addFile(`${word}-a`, aps.addFolder(word) && word);
  aps.nowMs += 60_000;
  const table = new Table(aps, { project_id: PROJECT, folder_ids: [urn("f"), urn("g")] });
  await table.run("full");
  const run = await table.run("incremental");
  deepEqual([run.calls, run.walked], [2, []]);
  deepEqual([...table.paths().values()], ["/f-a.pdf", "/g-a.pdf"]);
});

Deno.test("calls carry the user they are made for", () => {
  const headers = (x_user_id?: string) =>
    autodesk.callHeaders?.(autodesk.parseConfig({ project_id: PROJECT, x_user_id }));
  deepEqual(headers("U1"), { "x-user-id": "U1" });
  deepEqual(headers(), {});
});
