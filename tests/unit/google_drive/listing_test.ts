import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { FakeDrive, file, folder } from "./fake_drive.ts";
import { pathOf, runListing, task } from "./run_listing.ts";

const ACCOUNT = parseConfig({});
const DRIVE = parseConfig({ drive_id: "D" });
const myDrive = folder("root-id", undefined, { isMyDrive: true });
const top = folder("D", undefined, { driveId: "D", isTop: true });

function dead(): SyncError {
  return new SyncError("cursor_expired", "dead page token");
}

Deno.test("an account is listed flat: all folders before any file", async () => {
  const drive = new FakeDrive([
    myDrive,
    file("F1", "B"),
    folder("A", "root-id"),
    folder("B", "A"),
    file("F2", "root-id"),
    file("shared with me"),
  ]);
  const listed = await runListing(drive.context(ACCOUNT, 1));
  deepEqual(listed.kinds, ["folders", "files"]);
  equal(pathOf(listed, "F1"), "/A/B/F1.pdf");
  equal(pathOf(listed, "F2"), "/F2.pdf");
  equal(listed.files.get("shared with me")?.external_parent_id, null);
  deepEqual(listed.receipt, { pages: 5, items: 5 });
  for (
    const { searchParams } of drive.calls.filter(({ pathname }) => pathname.endsWith("/files"))
  ) {
    equal(searchParams.get("corpora"), "user");
    equal(searchParams.get("includeItemsFromAllDrives"), null);
    ok(searchParams.get("fields")?.startsWith("nextPageToken,incompleteSearch,files("));
  }
});

Deno.test("files are read beside the folders where one page of folders leads to another", async () => {
  const folders = Array.from(
    { length: 5 },
    (_, n) => folder(`A${n}`, "D", { createdTime: "2016" }),
  );
  const drive = new FakeDrive([top, ...folders, file("F1", "A4"), file("F2", "A0")]);
  const listed = await runListing(drive.context(DRIVE, 2, 3));
  deepEqual(listed.kinds, ["folders", "files", "files", "files", "files"]);
  deepEqual([...listed.files.keys()].sort(), ["F1", "F2"]);
  equal(pathOf(listed, "F1"), "/A4/F1.pdf");
  equal(listed.receipt["windows"], 4);
  equal(listed.receipt["windows_cut"], undefined);
});

for (const createdTime of [undefined, null, "soon"]) {
  Deno.test(`no window is cut where a folder was created at the time ${createdTime}`, async () => {
    const folders = Array.from(
      { length: 5 },
      (_, n) => folder(`A${n}`, "D", n === 0 ? { createdTime } : { createdTime: "2016" }),
    );
    const timeless = file("F1", "A4", { createdTime });
    const drive = new FakeDrive([top, ...folders, timeless, file("F2", "A0")]);
    const listed = await runListing(drive.context(DRIVE, 2, 3));
    deepEqual(listed.kinds, ["folders", "files"]);
    deepEqual([...listed.files.keys()].sort(), ["F1", "F2"]);
  });
}

Deno.test("many pages of folders are read in windows of their own", async () => {
  const createdTime = (year: number) => `${year}-01-01T00:00:00.000Z`;
  const folders = Array.from(
    { length: 40 },
    (_, n) =>
      folder(`A${n}`, n < 20 ? "D" : `A${n - 20}`, { createdTime: createdTime(2013 + n % 13) }),
  );
  const drive = new FakeDrive([top, ...folders, file("F1", "A39"), file("F2", "A0")]);
  const listed = await runListing(drive.context(DRIVE, 8, 11));
  equal(listed.folders.size, 41);
  equal(listed.files.size, 2);
  equal(listed.receipt["windows_cut"], 1);
  deepEqual(listed.kinds.filter((kind) => kind === "folders").length, 5);
  equal(listed.kinds.indexOf("files"), 5);
});

Deno.test("a shared drive is asked for by its id, with both switches, the same on every page", async () => {
  const files = [1, 2, 3].map((n) => file(`F${n}`, "D"));
  const drive = new FakeDrive([top, folder("A", "D"), ...files]);
  const listed = await runListing(drive.context(DRIVE, 2));
  equal(listed.files.size, 3);
  const pages = drive.calls.filter(({ pathname }) => pathname.endsWith("/files"));
  for (const { searchParams } of pages) {
    equal(searchParams.get("corpora"), "drive");
    equal(searchParams.get("driveId"), "D");
    equal(searchParams.get("includeItemsFromAllDrives"), "true");
    equal(searchParams.get("supportsAllDrives"), "true");
  }
  const [first, second] = pages.slice(-2).map(({ searchParams }) => searchParams);
  equal(second?.get("pageToken"), "2");
  second?.delete("pageToken");
  equal(first?.toString(), second?.toString());
});

Deno.test("a page is never larger than Drive allows, nor smaller than one item", async () => {
  for (const [wanted, sent] of [[5000, "1000"], [0, "1"], [7, "7"]] as const) {
    const drive = new FakeDrive([]);
    const page = task("files", { root_id: "D" });
    await googleDrive.readPage(page, drive.context(DRIVE, wanted));
    equal(drive.calls[0]?.searchParams.get("pageSize"), sent);
  }
});

Deno.test("an incomplete search is counted and reported", async () => {
  const drive = new FakeDrive([]);
  drive.interceptor = () => ({ files: [], incompleteSearch: true });
  const page = await googleDrive.readPage(task("files", { root_id: "D" }), drive.context(DRIVE));
  equal(page.receipt["incomplete_searches"], 1);
  deepEqual(page.skipped.map(({ external_folder_id, code }) => [external_folder_id, code]), [
    ["D", "listing_incomplete"],
  ]);
});

Deno.test("an empty page that names a next one is not the end", async () => {
  const drive = new FakeDrive([]);
  drive.interceptor = () => ({ files: [], nextPageToken: "t" });
  const page = await googleDrive.readPage(task("folders", { root_id: "D" }), drive.context(DRIVE));
  equal(page.next.type, "more");
  deepEqual(page.seeds, []);
});

Deno.test("a rejected page token begins that task again", async () => {
  const drive = new FakeDrive([top, ...[1, 2, 3].map((n) => file(`F${n}`, "D"))]);
  let failures = 1;
  drive.interceptor = (url) =>
    url.searchParams.get("pageToken") === "2" && failures-- > 0 ? dead() : null;
  const listed = await runListing(drive.context(DRIVE, 1));
  equal(listed.files.size, 3);
  equal(listed.receipt["restarts"], 1);
});

Deno.test("a page token that is always rejected ends the listing at last", async () => {
  const drive = new FakeDrive([top, file("F1", "D"), file("F2", "D")]);
  drive.interceptor = (url) => url.searchParams.has("pageToken") ? dead() : null;
  await rejects(runListing(drive.context(DRIVE, 1)), { code: "cursor_expired" });
  equal(drive.calls.filter(({ searchParams }) => searchParams.has("pageToken")).length, 4);
});

Deno.test("a page that leads back to itself again and again is refused", async () => {
  const drive = new FakeDrive([top]);
  drive.interceptor = (url) => url.searchParams.has("q") ? { files: [], nextPageToken: "t" } : null;
  await rejects(runListing(drive.context(DRIVE)), { code: "response_invalid" });
  ok(drive.calls.length < 12);
});

for (const body of [null, [], "<html>", {}, { files: {} }, { files: [], nextPageToken: 7 }]) {
  Deno.test(`readPage() refuses the answer ${JSON.stringify(body)}`, async () => {
    const drive = new FakeDrive([]);
    const context = { ...drive.context(DRIVE), getJson: () => Promise.resolve(body) };
    const page = googleDrive.readPage(task("files", { root_id: "D" }), context);
    await rejects(page, { code: "response_invalid" });
  });
}

Deno.test("one malformed item is reported and the others are read", async () => {
  const drive = new FakeDrive([top, file("F1", "D"), file("F2", "D", { name: 7 })]);
  const listed = await runListing(drive.context(DRIVE));
  deepEqual([...listed.files.keys()], ["F1"]);
  equal(listed.receipt["items_unreadable"], 1);
  deepEqual(listed.skipped.map((entry) => entry.external_folder_id), ["F2"]);
});

Deno.test("a value that cannot be read is left empty and counted", async () => {
  const drive = new FakeDrive([top, file("F1", "D", { size: "many" })]);
  const listed = await runListing(drive.context(DRIVE));
  equal(listed.files.get("F1")?.file_size, null);
  equal(listed.receipt["values_unreadable"], 1);
});

Deno.test("an item with several parents names them all and stands in the first", async () => {
  const parents = ["B", "A"];
  const drive = new FakeDrive([
    myDrive,
    file("F1", undefined, { parents }),
    folder("C", undefined, { parents }),
    file("F2", "A"),
  ]);
  const { files, folders } = await runListing(drive.context(ACCOUNT));
  for (const record of [files.get("F1"), folders.get("C")]) {
    equal(record?.external_parent_id, "B");
    deepEqual(record?.candidate_parent_ids, parents);
  }
  ok(!Object.hasOwn(files.get("F2") ?? {}, "candidate_parent_ids"));
});

Deno.test("items of shared drives are no part of an account's own corpus", async () => {
  const drive = new FakeDrive([
    myDrive,
    folder("A", "D", { driveId: "D" }),
    file("F1", "A", { driveId: "D" }),
    file("F2", "root-id"),
  ]);
  const listed = await runListing(drive.context(ACCOUNT));
  deepEqual([...listed.files.keys()], ["F2"]);
  deepEqual([...listed.folders.keys()], ["root-id"]);
  equal(listed.receipt["items_outside"], 2);
});

Deno.test("readPage() gives up a listing whose cursor or task it does not know", async () => {
  const context = new FakeDrive([]).context(DRIVE);
  for (const strange of [task("files", null), task("walk_one", {}), task("windows", null)]) {
    await rejects(googleDrive.readPage(strange, context), { code: "cursor_expired" });
  }
  const folders = new FakeDrive([]).context(parseConfig({ folder_id: "A" }));
  const flat = googleDrive.readPage(task("files", { root_id: "D" }), folders);
  await rejects(flat, { code: "cursor_expired" });
});

Deno.test("a flat listing brings every file once, whatever the size of its pages", async () => {
  const counts = fc.record({
    folders: fc.integer({ min: 0, max: 12 }),
    files: fc.integer({ min: 0, max: 12 }),
    pageSize: fc.integer({ min: 1, max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(counts, async ({ folders, files, pageSize }) => {
      const drive = new FakeDrive([
        top,
        ...Array.from({ length: folders }, (_, n) => folder(`A${n}`, n === 0 ? "D" : `A${n - 1}`)),
        ...Array.from({ length: files }, (_, n) => file(`F${n}`, "D")),
      ]);
      const listed = await runListing(drive.context(DRIVE, pageSize));
      equal(listed.files.size, files);
      equal(listed.folders.size, folders + 1);
      deepEqual(listed.skipped, []);
    }),
    { numRuns: 50 },
  );
});
