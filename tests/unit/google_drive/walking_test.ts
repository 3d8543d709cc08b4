import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { FakeDrive, file, folder } from "./fake_drive.ts";
import { pathOf, runListing, task } from "./run_listing.ts";

const FOLDER_A = parseConfig({ folder_id: "A" });

function denied(code: "access_denied" | "scope_not_found" = "access_denied"): SyncError {
  return new SyncError(code, "not for this account");
}

function queries(drive: FakeDrive): string[] {
  return drive.calls.flatMap(({ searchParams }) => searchParams.get("q") ?? []);
}

Deno.test("a folder is walked to its depths, several folders to a query", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    folder("B", "A"),
    folder("C", "A"),
    folder("E", "B"),
    file("F1", "A"),
    file("F2", "C"),
    file("F3", "E"),
    file("F4", "B"),
    file("outside", "x"),
  ]);
  const listed = await runListing(drive.context(FOLDER_A));
  deepEqual([...listed.files.keys()].sort(), ["F1", "F2", "F3", "F4"]);
  equal(pathOf(listed, "F3"), "/B/E/F3.pdf");
  deepEqual(queries(drive), [
    "('A' in parents) and trashed = false",
    "('B' in parents or 'C' in parents) and trashed = false",
    "('E' in parents) and trashed = false",
  ]);
  deepEqual(listed.receipt, { pages: 3, items: 7, groups: 1, folders_read: 4 });
  deepEqual(listed.skipped, []);
});

Deno.test("walking asks for shared drives too, and leaves the corpus to Drive", async () => {
  const drive = new FakeDrive([folder("A", "x")]);
  await runListing(drive.context(FOLDER_A));
  const walked = drive.calls.at(-1)?.searchParams;
  equal(walked?.get("corpora"), null);
  equal(walked?.get("includeItemsFromAllDrives"), "true");
  equal(walked?.get("supportsAllDrives"), "true");
});

Deno.test("walking inside a named drive searches that drive", async () => {
  const drive = new FakeDrive([folder("A", "D", { driveId: "D" })]);
  const config = parseConfig({ drive_id: "D", folder_id: "A" });
  await runListing(drive.context(config));
  const walked = drive.calls.at(-1)?.searchParams;
  equal(walked?.get("corpora"), "drive");
  equal(walked?.get("driveId"), "D");
});

for (
  const [config, flags] of [
    [{}, { corpora: "user", driveId: null, includeItemsFromAllDrives: null }],
    [{ drive_id: "D" }, { corpora: "drive", driveId: "D", includeItemsFromAllDrives: "true" }],
  ] as const
) {
  Deno.test(`a folder that came back is walked in its corpus: ${JSON.stringify(config)}`, async () => {
    for (const each of [task("walk", null, ["A", "B"]), task("walk_one", { folder_id: "A" })]) {
      const drive = new FakeDrive([file("F1", "A"), file("F2", "A", { driveId: "other" })]);
      const page = await googleDrive.readPage(each, drive.context(parseConfig(config)));
      deepEqual(page.files.map(({ external_file_id }) => external_file_id), ["F1"]);
      equal(page.receipt["items_outside"], 1);
      for (const [name, value] of Object.entries(flags)) {
        equal(drive.calls[0]?.searchParams.get(name), value);
      }
    }
  });
}

Deno.test("every folder of a group that shows nothing is asked again alone", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    ...["B", "C", "E"].map((id) => folder(id, "A")),
    file("F1", "B"),
    file("F2", "C"),
  ]);
  drive.silentInGroups.add("C");
  const listed = await runListing(drive.context(FOLDER_A));
  deepEqual([...listed.files.keys()].sort(), ["F1", "F2"]);
  deepEqual(listed.kinds.slice(0, 4), ["walk", "walk", "walk_one", "walk_one"]);
  deepEqual(queries(drive).slice(2, 4), [
    "('C' in parents) and trashed = false",
    "('E' in parents) and trashed = false",
  ]);
  equal(listed.receipt["groups_asked_again"], 1);
  equal(listed.receipt["folders_asked_again"], 2);
  equal(listed.receipt["folders_read"], 4);
});

Deno.test("a group that left a folder out is not believed of the others either", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    ...["B", "C", "E"].map((id) => folder(id, "A")),
    file("F1", "B"),
    file("dropped", "B"),
    file("F2", "C"),
  ]);
  drive.silentInGroups.add("C");
  drive.silentInGroups.add("E");
  drive.interceptor = (url) =>
    (url.searchParams.get("q") ?? "").startsWith("('B' in parents or")
      ? { files: [file("F1", "B")] }
      : null;
  const listed = await runListing(drive.context(FOLDER_A));
  deepEqual([...listed.files.keys()].sort(), ["F1", "F2", "dropped"]);
  equal(queries(drive).at(-1), "('B' in parents) and trashed = false");
  equal(listed.receipt["groups_disproved"], 1);
  equal(listed.receipt["folders_rechecked"], 1);
  equal(listed.receipt["folders_read_again"], 1);
  // The receipt still closes: each folder counts once.
  equal(listed.receipt["folders_read"], 4);
});

Deno.test("folders that are empty indeed leave their group believed", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    ...["B", "C", "E"].map((id) => folder(id, "A")),
    file("F1", "B"),
  ]);
  const listed = await runListing(drive.context(FOLDER_A));
  equal(listed.receipt["groups_disproved"], undefined);
  equal(queries(drive).length, 4);
});

Deno.test("a folder that answered on an earlier page is not asked again", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    folder("B", "A"),
    folder("C", "A"),
    ...[1, 2, 3].map((n) => file(`B${n}`, "B")),
    ...[1, 2, 3].map((n) => file(`C${n}`, "C")),
  ]);
  const listed = await runListing(drive.context(FOLDER_A, 3));
  equal(listed.files.size, 6);
  equal(listed.receipt["groups_asked_again"], undefined);
});

const TWO_FOLDERS_ON_TWO_PAGES = [
  folder("A", "x"),
  folder("B", "A"),
  folder("C", "A"),
  ...["B1", "B2"].map((id) => file(id, "B")),
  ...["C1", "C2"].map((id) => file(id, "C")),
];

Deno.test("a group is not believed that ends with an empty page", async () => {
  const drive = new FakeDrive(TWO_FOLDERS_ON_TWO_PAGES);
  drive.interceptor = (url) => url.searchParams.get("pageToken") === "3" ? { files: [] } : null;
  const listed = await runListing(drive.context(FOLDER_A, 3));
  deepEqual([...listed.files.keys()].sort(), ["B1", "B2", "C1", "C2"]);
  equal(listed.receipt["folders_asked_again"], 2);
  equal(listed.receipt["folders_read"], 3);
});

Deno.test("a group that begins again is not believed for what it had answered before", async () => {
  const drive = new FakeDrive(TWO_FOLDERS_ON_TWO_PAGES);
  drive.interceptor = (url) => {
    if (url.searchParams.get("pageToken") !== "3") return null;
    drive.silentInGroups.add("B").add("C");
    return new SyncError("cursor_expired", "dead page token");
  };
  const listed = await runListing(drive.context(FOLDER_A, 3));
  deepEqual([...listed.files.keys()].sort(), ["B1", "B2", "C1", "C2"]);
});

Deno.test("shortcuts are recorded and not followed, not even to a folder above them", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    file("S", "A", {
      mimeType: "application/vnd.google-apps.shortcut",
      shortcutDetails: { targetId: "A", targetMimeType: "application/vnd.google-apps.folder" },
    }),
  ]);
  const listed = await runListing(drive.context(FOLDER_A));
  equal(listed.files.get("S")?.file_type, "shortcut");
  equal(queries(drive).length, 1);
});

Deno.test("an item with several parents stands in the one that was asked for", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    file("F1", undefined, { parents: ["elsewhere", "A"] }),
  ]);
  const listed = await runListing(drive.context(FOLDER_A));
  equal(listed.files.get("F1")?.external_parent_id, "A");
  deepEqual(listed.files.get("F1")?.candidate_parent_ids, ["elsewhere", "A"]);
  deepEqual(listed.files.get("F1")?.file_metadata, { parents: ["elsewhere", "A"] });
});

Deno.test("an item whose parents are hidden stands in the folder that was asked alone", async () => {
  const drive = new FakeDrive([]);
  drive.interceptor = () => ({ files: [file("F1")] });
  const alone = task("walk_one", { folder_id: "A" });
  const page = await googleDrive.readPage(alone, drive.context(FOLDER_A));
  equal(page.files[0]?.external_parent_id, "A");
});

Deno.test("a group in which an item names no parent is asked again, folder by folder", async () => {
  const drive = new FakeDrive([]);
  drive.interceptor = () => ({ files: [file("F1"), file("F2", "A")], nextPageToken: "t" });
  const group = task("walk", null, ["A", "B"]);
  const page = await googleDrive.readPage(group, drive.context(FOLDER_A));
  deepEqual(page.files.map((each) => each.external_file_id), ["F2"]);
  deepEqual(page.seeds.map(({ kind, key }) => [kind, key]), [["walk_one", "A"], ["walk_one", "B"]]);
  deepEqual(page.next, { type: "done" });
});

for (const code of ["access_denied", "scope_not_found"] as const) {
  Deno.test(`a folder that answers ${code} is skipped and stops no other`, async () => {
    const drive = new FakeDrive([
      folder("A", "x"),
      ...["B", "C", "E"].map((id) => folder(id, "A")),
      file("F1", "B"),
      file("F2", "C"),
      file("F3", "E"),
    ]);
    drive.refused.set("C", denied(code));
    const listed = await runListing(drive.context(FOLDER_A));
    deepEqual([...listed.files.keys()].sort(), ["F1", "F3"]);
    deepEqual(listed.skipped, [
      { external_folder_id: "C", code, message: "not for this account" },
    ]);
    equal(listed.receipt["folders_skipped"], 1);
    equal(listed.receipt["groups_asked_again"], 1);
  });
}

Deno.test("failures that are not about a folder end the page", async () => {
  for (const code of ["rate_limited", "credentials_invalid"] as const) {
    const drive = new FakeDrive([]);
    drive.refused.set("A", new SyncError(code, "no"));
    const page = googleDrive.readPage(task("walk", null, ["A", "B"]), drive.context(FOLDER_A));
    await rejects(page, { code });
  }
  const drive = new FakeDrive([]);
  drive.interceptor = () => new SyncError("unavailable", "nothing is listed");
  const page = googleDrive.readPage(task("walk", null, ["A"]), drive.context(FOLDER_A));
  await rejects(page, { code: "unavailable" });
});

Deno.test("a folder that is never answered while others are is reported, its group asked one by one", async () => {
  const drive = new FakeDrive([folder("A", "x"), folder("B", "x"), file("F", "B")]);
  drive.refused.set("A", new SyncError("unavailable", "no"));
  const group = await googleDrive.readPage(
    task("walk", null, ["A", "B"]),
    drive.context(FOLDER_A),
  );
  deepEqual(group.seeds.map(({ key }) => key), ["A", "B"]);
  deepEqual(group.skipped, []);
  const alone = await googleDrive.readPage(task("walk", null, ["A"]), drive.context(FOLDER_A));
  deepEqual(alone.skipped, [{ external_folder_id: "A", code: "unavailable", message: "no" }]);
  deepEqual(alone.next, { type: "done" });
});

Deno.test("an incomplete search of a group is reported for every folder of it", async () => {
  const drive = new FakeDrive([]);
  drive.interceptor = () => ({ files: [file("F1", "A")], incompleteSearch: true });
  const page = await googleDrive.readPage(
    task("walk", null, ["A", "B"]),
    drive.context(FOLDER_A),
  );
  equal(page.receipt["incomplete_searches"], 1);
  deepEqual(page.skipped.map(({ external_folder_id }) => external_folder_id), ["A", "B"]);
  ok(page.skipped.every(({ code }) => code === "listing_incomplete"));
});

Deno.test("a rejected page token begins the group again and forgets nothing", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    folder("B", "A"),
    folder("C", "A"),
    ...[1, 2].map((n) => file(`B${n}`, "B")),
    ...[1, 2].map((n) => file(`C${n}`, "C")),
  ]);
  let failures = 1;
  drive.interceptor = (url) =>
    url.searchParams.get("pageToken") === "3" && failures-- > 0
      ? new SyncError("cursor_expired", "dead page token")
      : null;
  const listed = await runListing(drive.context(FOLDER_A, 3));
  equal(listed.files.size, 4);
  equal(listed.receipt["restarts"], 1);
});

Deno.test("a scope inside another stays a top of its own", async () => {
  const drive = new FakeDrive([folder("A", "x"), folder("B", "A"), file("F1", "B")]);
  const listed = await runListing(drive.context(parseConfig({ folder_ids: ["A", "B"] })));
  equal(listed.folders.get("B")?.is_root, true);
  equal(pathOf(listed, "F1"), "/F1.pdf");
  equal(queries(drive).length, 1);
});

Deno.test("readPage() gives the same page for the same cursor", async () => {
  const drive = new FakeDrive([folder("A", "x"), ...[1, 2, 3].map((n) => file(`F${n}`, "A"))]);
  const page = () =>
    googleDrive.readPage(task("walk", { page_token: "1" }, ["A"]), drive.context(FOLDER_A, 1));
  deepEqual(await page(), await page());
});

Deno.test("a walk brings every file once, whatever the tree, the pages and Drive's silences", async () => {
  const tree = fc.record({
    // Each number names the parent of a folder among those before it.
    folders: fc.array(fc.nat(), { maxLength: 12 }),
    files: fc.array(fc.nat(), { maxLength: 12 }),
    silent: fc.array(fc.nat(12)),
    refused: fc.option(fc.nat(12)),
    pageSize: fc.integer({ min: 1, max: 5 }),
    foldersPerTask: fc.integer({ min: 1, max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(tree, async (given) => {
      const parents = new Map<string, string>();
      given.folders.forEach((parent, n) => parents.set(`A${n + 1}`, `A${parent % (n + 1)}`));
      const files = given.files.map((parent, n) =>
        file(`F${n}`, `A${parent % (given.folders.length + 1)}`)
      );
      const drive = new FakeDrive([
        folder("A0", "x"),
        ...[...parents].map(([id, parent]) => folder(id, parent)),
        ...files,
      ]);
      for (const n of given.silent) drive.silentInGroups.add(`A${n}`);
      const refused = given.refused === null ? undefined : `A${given.refused}`;
      if (refused !== undefined) drive.refused.set(refused, denied());
      const isReadable = (id: string | undefined): boolean =>
        id === undefined || (id !== refused && isReadable(parents.get(id)));
      const config = parseConfig({ folder_id: "A0" });
      const listed = await runListing(drive.context(config, given.pageSize), given.foldersPerTask);
      const expected = files.filter((each) => isReadable(each.parents?.[0])).map(({ id }) => id);
      deepEqual([...listed.files.keys()].sort(), expected.sort());
      // The receipt closes: each folder that was found was read to its end or is reported.
      const read = (listed.receipt["folders_read"] ?? 0) + listed.skipped.length;
      equal(read, listed.folders.size);
    }),
    { numRuns: 200 },
  );
});
