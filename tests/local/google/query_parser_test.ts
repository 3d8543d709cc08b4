import assert from "node:assert/strict";
import { DriveModel } from "../../../local/google/drive_model.ts";
import { parseQuery } from "../../../local/google/query_parser.ts";
import { planQuery } from "../../../local/google/query_plan.ts";

function matcher() {
  const model = new DriveModel({ now: () => Date.parse("2026-01-01T00:00:00Z") });
  const owner = model.addAccount({ email: "owner@example.com" });
  const reader = model.addAccount({ email: "reader@example.com" });
  const folder = model.createFolder({ name: "Ordner", parent: owner.root.id, id: "folder" });
  const file = model.createFile({
    name: "Bob's \\ Report 2025.pdf",
    parent: folder.id,
    createdTime: "2025-06-01T10:00:00.500Z",
    modifiedTime: "2025-07-01T10:00:00Z",
  });
  model.share(file.id, reader.email);
  return (q: string, account = owner) => planQuery(parseQuery(q), account).matches(file);
}

Deno.test("parseQuery() unescapes quotes and backslashes", () => {
  const matches = matcher();
  assert.equal(matches(String.raw`name = 'bob\'s \\ report 2025.PDF'`), true);
  assert.equal(matches(String.raw`name != 'Bob\'s \\ Report 2025.pdf'`), false);
});

Deno.test("parseQuery() evaluates and and or from left to right", () => {
  const matches = matcher();
  assert.equal(matches("trashed = false or trashed = false and trashed = true"), false);
  assert.equal(matches("trashed = false or (trashed = false and trashed = true)"), true);
  assert.equal(matches("not trashed = true and mimeType = 'application/pdf'"), true);
});

Deno.test("A query can ask for names, kinds, times, parents and people", () => {
  const matches = matcher();
  const yes = [
    "name contains 'rep'",
    "mimeType contains 'application/'",
    "mimeType != 'application/vnd.google-apps.folder'",
    "'folder' in parents",
    "('other' in parents or 'folder' in parents) and trashed=false",
    "'me' in owners",
    "'owner@example.com' in owners",
    "createdTime >= '2025-06-01T10:00:00.500Z' and createdTime < '2025-06-01T10:00:00.501Z'",
    "createdTime > '2025-06-01T10:00:00'",
    "createdTime <= '2025-06-01T12:00:00.5+02:00'",
    "modifiedTime > '2025-06-30'",
  ];
  for (const q of yes) assert.equal(matches(q), true, q);
  const no = ["name contains 'port'", "'root' in parents", "sharedWithMe", "'x@y.z' in owners"];
  for (const q of no) assert.equal(matches(q), false, q);
});

Deno.test("sharedWithMe is what was shared with the caller", () => {
  const model = new DriveModel();
  const owner = model.addAccount({ email: "owner@example.com" });
  const reader = model.addAccount({ email: "reader@example.com" });
  const file = model.createFile({ name: "a", parent: owner.root.id });
  model.share(file.id, reader.email);
  for (const q of ["sharedWithMe", "sharedWithMe = true", "not sharedWithMe = false"]) {
    assert.equal(planQuery(parseQuery(q), reader).matches(file), true, q);
    assert.equal(planQuery(parseQuery(q), owner).matches(file), false, q);
  }
});

Deno.test("parseQuery() refuses what Drive's grammar does not allow", () => {
  const matches = matcher();
  const wrong = [
    "name",
    "name = Report",
    "name = 'open",
    "name == 'a'",
    "title = 'a'",
    "trashed = 'false'",
    "trashed",
    "trashed > false",
    "parents = 'folder'",
    "'folder' in trashed",
    "'folder' contains parents",
    "(trashed = false",
    "trashed = false)",
    "trashed = false and",
    "trashed = false trashed = true",
    "createdTime > 'yesterday'",
    "createdTime > '2025-13-01T00:00:00Z'",
    "createdTime contains '2025'",
    String.raw`name = 'a\n'`,
    'name = "a"',
    "",
  ];
  for (const q of wrong) {
    assert.throws(() => matches(q), { name: "ApiError", message: "Invalid Value" }, q);
  }
  assert.throws(() => matches("fullText contains 'a'"), /does not know/);
});

Deno.test("planQuery() finds the folders that bound a search", () => {
  const account = new DriveModel().addAccount({ email: "a@example.com" });
  const bounds = (q: string) => planQuery(parseQuery(q), account).boundingParents;
  assert.deepEqual(bounds("trashed = false and ('a' in parents or 'b' in parents)"), ["a", "b"]);
  assert.deepEqual(bounds("'root' in parents"), [account.root.id]);
  assert.equal(bounds("'a' in parents or trashed = false"), null);
  assert.equal(bounds("not 'a' in parents"), null);
});
