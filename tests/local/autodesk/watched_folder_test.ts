import assert from "node:assert/strict";
import { filesInScope } from "../../../local/autodesk/scope_view.ts";
import { watchFolder } from "../../../local/autodesk/watched_folder.ts";
import { accountWithProject } from "./support.ts";

Deno.test("A directory on disk is followed: versions, renames, moves and deletions", async () => {
  const directory = await Deno.makeTempDir();
  const { model, folderId, projectId } = accountWithProject();
  const view = () =>
    filesInScope(model, { projectId }).map(({ name, size, version, folderNames, isDeleted }) =>
      `${folderNames.slice(1).join("/")}|${name}|${size}|${version}|${isDeleted}`
    ).sort();
  await Deno.mkdir(`${directory}/plans`);
  await Deno.writeTextFile(`${directory}/plans/a.txt`, "one");
  const folder = await watchFolder(model, { directory, parent: folderId });
  try {
    assert.deepEqual(view(), ["plans|a.txt|3|1|false"]);
    const [id] = filesInScope(model, { projectId }).map((file) => file.id);
    await Deno.writeTextFile(`${directory}/plans/a.txt`, "three");
    await folder.rescan();
    assert.deepEqual(view(), ["plans|a.txt|5|2|false"]);
    await Deno.rename(`${directory}/plans/a.txt`, `${directory}/b.txt`);
    await folder.rescan();
    assert.deepEqual(view(), ["|b.txt|5|3|false"]);
    assert.deepEqual(filesInScope(model, { projectId }).map((file) => file.id), [id]);
    await Deno.remove(`${directory}/b.txt`);
    await Deno.remove(`${directory}/plans`);
    await folder.rescan();
    assert.deepEqual(view(), ["|b.txt|5|4|true"]);
  } finally {
    await folder.stop();
    await Deno.remove(directory, { recursive: true });
  }
});
