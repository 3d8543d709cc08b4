import assert from "node:assert/strict";
import { applyMask, parseMask } from "../../../local/google/fields_mask.ts";
import { FILE_LIST_SHAPE } from "../../../local/google/resource_shapes.ts";

const LIST = {
  kind: "drive#fileList",
  nextPageToken: "t",
  files: [{ id: "1", name: "a", owners: [{ displayName: "O", emailAddress: "o@x" }] }, { id: "2" }],
};

function masked(fields: string): unknown {
  return applyMask(LIST, parseMask(fields, FILE_LIST_SHAPE));
}

Deno.test("A fields mask keeps what it names and nothing else", () => {
  assert.deepEqual(masked("files(id)"), { files: [{ id: "1" }, { id: "2" }] });
  assert.deepEqual(masked("nextPageToken, files/id"), {
    nextPageToken: "t",
    files: [{ id: "1" }, { id: "2" }],
  });
  assert.deepEqual(masked("files(name,owners(emailAddress))"), {
    files: [{ name: "a", owners: [{ emailAddress: "o@x" }] }, {}],
  });
  assert.deepEqual(masked("files/owners/displayName"), {
    files: [{ owners: [{ displayName: "O" }] }, {}],
  });
  assert.deepEqual(masked("*"), LIST);
  assert.deepEqual(masked("files(*),kind"), { kind: LIST.kind, files: LIST.files });
  assert.deepEqual(masked("files/id,files/name"), {
    files: [{ id: "1", name: "a" }, { id: "2" }],
  });
});

Deno.test("A fields mask with an unknown field is refused by name", () => {
  for (const fields of ["items", "files(id,title)", "files(owners(mail))", "kind/id"]) {
    assert.throws(() => masked(fields), /Invalid field selection/, fields);
  }
  for (const fields of ["files(id", "files)id", "files(id))", ",", "files()", "files//id"]) {
    assert.throws(() => masked(fields), /Invalid field selection/, fields);
  }
});
