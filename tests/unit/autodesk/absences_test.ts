import { deepEqual, rejects } from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { confirmGone } from "../../../supabase/functions/_shared/providers/autodesk/absences.ts";
import type { AbsentItem } from "../../../supabase/functions/_shared/providers/types.ts";
import { FakeAps, lineage, PROJECT, TOP, urn } from "./fake_aps.ts";

function absent(id: string, parent: string | null = TOP): AbsentItem {
  return { external_id: id, external_parent_id: parent, is_folder: id.includes(":fs.folder:") };
}

async function judge(aps: FakeAps, ...items: AbsentItem[]) {
  const { gone, unknown, present_files, present_folders } = await confirmGone(items, aps.context());
  return {
    gone,
    unknown: unknown.map((item) => item.external_id),
    present: present_files.map((file) => [file.external_file_id, file.external_parent_id]),
    present_folders: present_folders.map((folder) => [
      folder.external_folder_id,
      folder.external_parent_id,
    ]),
  };
}

const NOTHING = { gone: [], unknown: [], present: [], present_folders: [] };

Deno.test("deleted files and folders are gone", async () => {
  const aps = new FakeAps();
  const [file, folder] = [aps.addFile("a"), aps.addFolder("f")];
  for (const id of [file, folder]) aps.setHidden(id, true);
  deepEqual(await judge(aps, absent(file), absent(folder)), { ...NOTHING, gone: [file, folder] });
});

Deno.test("what lies in a deleted folder is gone with it, at any depth", async () => {
  const aps = new FakeAps();
  aps.addFolder("f");
  const inner = aps.addFolder("g", "f");
  const file = aps.addFile("a", "g");
  aps.setHidden(urn("f"), true);
  deepEqual(await judge(aps, absent(file, inner), absent(inner, urn("f"))), {
    ...NOTHING,
    gone: [file, inner],
  });
});

Deno.test("what was moved is present where it is now", async () => {
  const aps = new FakeAps();
  const target = aps.addFolder("target");
  const [file, folder] = [aps.addFile("a"), aps.addFolder("f")];
  for (const id of [file, folder]) aps.move(id, target);
  deepEqual(await judge(aps, absent(file), absent(folder)), {
    ...NOTHING,
    present: [[file, target]],
    present_folders: [[folder, target]],
  });
});

Deno.test("a top folder is present below the root that stands for the project", async () => {
  const aps = new FakeAps();
  const { present_folders } = await judge(aps, absent(TOP, PROJECT));
  deepEqual(present_folders, [[TOP, PROJECT]]);
});

for (const status of [403, 404]) {
  Deno.test(`a folder refused with ${status} is out of sight, and so are its files`, async () => {
    const aps = new FakeAps();
    const folder = aps.addFolder("f");
    const file = aps.addFile("a", "f");
    aps.refused.set(folder, status);
    deepEqual(await judge(aps, absent(folder), absent(file, folder)), {
      ...NOTHING,
      unknown: [folder, file],
    });
  });
}

Deno.test("a file that is nowhere is gone only if its folder can be seen", async () => {
  const aps = new FakeAps();
  const purged = lineage("purged");
  deepEqual((await judge(aps, absent(purged))).gone, [purged]);
  deepEqual((await judge(aps, absent(purged, urn("purged-too")))).unknown, [purged]);
  deepEqual((await judge(aps, absent(purged, null))).unknown, [purged]);
});

Deno.test("the root of a project is not asked for", async () => {
  const aps = new FakeAps();
  const root = { external_id: PROJECT, external_parent_id: null, is_folder: true };
  deepEqual((await judge(aps, root)).unknown, [PROJECT]);
  deepEqual(aps.calls, []);
});

Deno.test("an answer that is no answer decides nothing", async () => {
  const aps = new FakeAps();
  const file = aps.addFile("a");
  aps.interceptor = () => new SyncError("unavailable", "later");
  await rejects(judge(aps, absent(file)), { code: "unavailable" });
});

Deno.test("an item of which nothing is said, while of others something is, is kept and named", async () => {
  const aps = new FakeAps();
  const [silent, other] = [aps.addFile("silent"), aps.addFile("other")];
  aps.setHidden(other, true);
  aps.interceptor = (url) =>
    decodeURIComponent(url.pathname).endsWith(silent)
      ? new SyncError("response_invalid", "garbage", { isUnreadable: true })
      : undefined;
  const { gone, unknown } = await confirmGone([absent(silent), absent(other)], aps.context());
  deepEqual(gone, [other]);
  deepEqual(unknown.map(({ external_id, code }) => [external_id, code]), [[silent, "unavailable"]]);
});

Deno.test("fifty files of one folder cost a call each and one for every folder above", async () => {
  const aps = new FakeAps();
  aps.addFolder("f");
  const files = Array.from({ length: 50 }, (_, index) => aps.addFile(`a${index}`, "f"));
  const { present_files } = await confirmGone(
    files.map((id) => absent(id, urn("f"))),
    aps.context(),
  );
  deepEqual([present_files.length, aps.calls.length], [50, 50 + 3]);
});
