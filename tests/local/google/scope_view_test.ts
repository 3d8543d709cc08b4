import assert from "node:assert/strict";
import { filesInScope, type ViewScope } from "../../../local/google/scope_view.ts";
import { emulatorWithUsers, OWNER, READER } from "./support.ts";

Deno.test("filesInScope() gives what an account sees of a scope, with its folders", () => {
  const { model } = emulatorWithUsers();
  const root = model.account(OWNER).root.id;
  const outer = model.createFolder({ name: "outer", parent: root });
  const inner = model.createFolder({ name: "in/ner", parent: outer.id });
  const file = model.createFile({ name: "a.txt", parent: inner.id, size: null });
  model.createShortcut({ name: "link", parent: outer.id, target: root });
  const trashed = model.createFolder({ name: "trashed", parent: outer.id });
  model.createFile({ name: "gone.txt", parent: trashed.id });
  model.trash(trashed.id);
  const drive = model.createDrive({ name: "Team", members: [OWNER] });
  model.createFile({ name: "team.txt", parent: drive.id });
  const view = (email: string, scope: ViewScope) =>
    filesInScope(model, email, scope).map((each) => [...each.folderNames, each.name].join(" > "))
      .sort();
  assert.deepEqual(view(OWNER, { type: "account" }), ["outer > in/ner > a.txt", "outer > link"]);
  assert.deepEqual(view(OWNER, { type: "folders", folderIds: [inner.id] }), ["a.txt"]);
  assert.deepEqual(view(OWNER, { type: "drive", driveId: drive.id }), ["team.txt"]);
  assert.deepEqual(view(READER, { type: "account" }), []);
  model.share(inner.id, READER);
  assert.deepEqual(view(READER, { type: "account" }), ["in/ner > a.txt"]);
  assert.equal(filesInScope(model, READER, { type: "account" })[0]?.id, file.id);
});
