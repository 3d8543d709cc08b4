import { deepEqual, throws } from "node:assert/strict";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";

Deno.test("parseConfig() reads a shared drive", () => {
  const { scope } = parseConfig({ drive_id: "0AbC-d_9PVA" });
  deepEqual(scope, { type: "drive", driveId: "0AbC-d_9PVA" });
});

Deno.test("parseConfig() reads one folder and several, each once", () => {
  const one = parseConfig({ folder_id: "A" }).scope;
  deepEqual(one, { type: "folders", folderIds: ["A"], driveId: null });
  const several = parseConfig({ folder_ids: ["A", "B", "A"] }).scope;
  deepEqual(several, { type: "folders", folderIds: ["A", "B"], driveId: null });
});

Deno.test("parseConfig() reads folders inside one shared drive", () => {
  const { scope } = parseConfig({ drive_id: "D", folder_ids: ["A"] });
  deepEqual(scope, { type: "folders", folderIds: ["A"], driveId: "D" });
});

Deno.test("parseConfig() takes the account's own corpus where no scope is named", () => {
  const account = { scope: { type: "account" }, serviceAccount: null, impersonate: null };
  deepEqual(parseConfig({}), account);
  deepEqual(parseConfig({ drive_id: null, folder_id: null, folder_ids: null }), account);
});

Deno.test("parseConfig() tolerates keys of other programs", () => {
  const { scope } = parseConfig({ client_id: "…", project_id: "b.…", folder_id: "A" });
  deepEqual(scope, { type: "folders", folderIds: ["A"], driveId: null });
});

Deno.test("parseConfig() reads the user to act for", () => {
  deepEqual(parseConfig({ impersonate: "ann@company.example" }).impersonate, "ann@company.example");
  deepEqual(parseConfig({ service_account: "north-2" }).serviceAccount, "north-2");
});

const refused: readonly (readonly [unknown, RegExp])[] = [
  [null, /it must be a JSON object: current value is null$/],
  ["A", /it must be a JSON object: current value is "A"$/],
  [[], /it must be a JSON object: current value is \[\]$/],
  [{ drive_id: 7 }, /drive_id must be the id of a shared drive .*: current value is 7$/],
  [{ drive_id: "" }, /drive_id must be .*: current value is ""$/],
  [{ folder_id: "a'b" }, /folder_id must be the id of a folder .*: current value is "a'b"$/],
  [{ folder_id: ["A"] }, /folder_id must be .*: current value is \["A"\]$/],
  [
    { folder_id: "https://drive.google.com/drive/folders/A" },
    /the part of its web address after \/folders\//,
  ],
  [
    { folder_ids: [] },
    /folder_ids must be a list of 1 to 100 folder ids .*: current value is \[\]$/,
  ],
  [{ folder_ids: "A" }, /folder_ids must be a list/],
  [{ folder_ids: ["A", ""] }, /folder_ids must be a list/],
  [{ folder_ids: Array(101).fill("A") }, /folder_ids must be a list of 1 to 100/],
  [{ folder_id: "A", folder_ids: ["B"] }, /either folder_id or folder_ids, not both/],
  [
    { service_account: "no spaces" },
    /service_account must be the name under which .*: current value is "no spaces"/,
  ],
  [
    { impersonate: "ann" },
    /impersonate must be the e-mail address of a user: current value is "ann"/,
  ],
];

for (const [stored, message] of refused) {
  const shown = JSON.stringify(stored).slice(0, 60);
  Deno.test(`parseConfig() refuses ${shown}`, () => {
    throws(() => parseConfig(stored), { code: "config_invalid", message });
  });
}
