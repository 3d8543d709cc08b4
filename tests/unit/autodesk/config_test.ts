import { deepEqual, throws } from "node:assert/strict";
import { parseConfig } from "../../../supabase/functions/_shared/providers/autodesk/config.ts";

const GUID = "c2960674-2d1e-4cc8-a5f0-4b9026fd3f5d";

Deno.test("parseConfig() reads the documented example", () => {
  deepEqual(parseConfig({ client_id: "AbC123", project_id: `b.${GUID}` }), {
    projectId: `b.${GUID}`,
    hubId: null,
    folderIds: [],
    clientId: "AbC123",
    userId: null,
    serviceAccount: null,
  });
});

Deno.test("parseConfig() takes ids with and without their prefix", () => {
  const { projectId, hubId } = parseConfig({ project_id: GUID, hub_id: GUID });
  deepEqual([projectId, hubId], [`b.${GUID}`, `b.${GUID}`]);
});

Deno.test("parseConfig() reads folders, each once, and the user to read for", () => {
  const folder_ids = ["urn:adsk.wipemea:fs.folder:co.A-_9", "urn:adsk.wipprod:fs.folder:co.B"];
  const config = parseConfig({
    project_id: GUID,
    folder_ids: [...folder_ids, ...folder_ids],
    x_user_id: "BW9RM76WZBGL",
  });
  deepEqual([config.folderIds, config.userId], [folder_ids, "BW9RM76WZBGL"]);
});

Deno.test("parseConfig() takes null for absent and tolerates keys of other programs", () => {
  const nothing = { hub_id: null, folder_ids: null, client_id: null, x_user_id: null };
  deepEqual(
    parseConfig({ project_id: GUID, ...nothing, note: 1 }),
    parseConfig({ project_id: GUID }),
  );
});

const refused: readonly (readonly [unknown, RegExp])[] = [
  [null, /it must be a JSON object: current value is null$/],
  [{}, /project_id must be the id of a project .*: it is missing$/],
  [{ project_id: "" }, /project_id must be/],
  [{ project_id: "a.YnVzaW5lc3M" }, /project_id must be/],
  [{ project_id: "b." }, /project_id must be/],
  [{ project_id: "../hubs" }, /project_id must be/],
  [{ project_id: GUID, hub_id: "x/y" }, /hub_id must be the id of a hub/],
  [{ project_id: GUID, folder_ids: [] }, /folder_ids must be a list of 1 to 100 folder ids/],
  [{ project_id: GUID, folder_ids: ["co.A"] }, /folder_ids must be/],
  [{ project_id: GUID, folder_ids: ["urn:a/../b"] }, /folder_ids must be/],
  [{ project_id: GUID, client_id: "a:b" }, /client_id must be/],
  [{ project_id: GUID, x_user_id: "a\r\nb" }, /x_user_id must be/],
];

for (const [stored, message] of refused) {
  Deno.test(`parseConfig() refuses ${JSON.stringify(stored)}`, () => {
    throws(() => parseConfig(stored), { code: "config_invalid", message });
  });
}
