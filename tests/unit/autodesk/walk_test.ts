import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";
import { FakeAps, kinds, lineage, PROJECT, TOP, urn } from "./fake_aps.ts";
import { Table } from "./table.ts";

/** Folders of three levels: 1 + 10 + 100 + the rest. */
function large(count: number): FakeAps {
  const aps = new FakeAps();
  for (let index = 1; index < count; index++) {
    const parent = index <= 10 ? "top" : `f${Math.floor((index - 1) / 10)}`;
    aps.addFolder(`f${index}`, parent);
    aps.addFile(`a${index}`, `f${index}`);
  }
  aps.nowMs += 60_000;
  return aps;
}

Deno.test("a first listing shows every file with its path", async () => {
  const aps = large(150);
  const table = new Table(aps);
  const run = await table.run("full");
  deepEqual(table.paths(), aps.paths());
  equal(run.start.sweep, "everything");
  equal(run.start.is_tree, true);
  deepEqual(run.start.feeds, []);
  equal(run.receipt["folders_read"], 151);
});

Deno.test("an unchanged project of 2,000 folders costs one call, with nothing remembered two", async () => {
  const aps = large(2_000);
  const table = new Table(aps);
  await table.run("full");
  aps.nowMs += 300_000;
  aps.calls = [];
  const run = await table.run("incremental");
  equal(run.start.sweep, "walked_folders");
  deepEqual(kinds(aps.calls), ["topFolders"]);
  table.memory = null;
  equal((await table.run("incremental")).calls, 2);
});

Deno.test("one changed folder of 2,000 costs a call for each folder above it and one more", async () => {
  const aps = large(2_000);
  const table = new Table(aps);
  await table.run("full");
  aps.nowMs += 300_000;
  const depth = 4;
  ok(aps.isBelow(urn("f1999"), urn("f199")));
  aps.addFile("new", "f1999");
  aps.nowMs += 60_000;
  const run = await table.run("incremental");
  ok(run.calls <= depth + 3, `${run.calls} calls`);
  deepEqual(table.paths(), aps.paths());
  equal((await table.run("incremental")).calls, 1);
});

Deno.test("a folder that changed in the second of its reading is read once more", async () => {
  const aps = new FakeAps();
  aps.addFile("a");
  const table = new Table(aps);
  await table.run("full");
  // The same second: the rollup does not move.
  aps.addFile("b");
  deepEqual((await table.run("incremental")).walked, [PROJECT, TOP]);
  deepEqual(table.paths(), aps.paths());
  aps.nowMs += 10_000;
  deepEqual((await table.run("incremental")).walked, [PROJECT, TOP]);
  deepEqual((await table.run("incremental")).walked, [PROJECT]);
});

Deno.test("a folder without a rollup is always read", async () => {
  const aps = new FakeAps();
  aps.interceptor = (url) =>
    url.pathname.endsWith("/topFolders")
      ? { data: [{ type: "folders", id: TOP, attributes: { name: "Project Files" } }] }
      : undefined;
  const table = new Table(aps);
  await table.run("full");
  deepEqual((await table.run("incremental")).walked, [PROJECT, TOP]);
});

Deno.test("top folders are asked for without deleted ones and without those of other products", async () => {
  const aps = new FakeAps();
  aps.addFolder("plans", "root", "Plans");
  aps.addFolder("gone", "root", "Gone");
  aps.setHidden(urn("gone"), true);
  const guid = "1c9d3777-9a2a-4841-84fe-93bc55691c5d";
  const systems = [`checklist_${guid}`, guid, "ProjectTb", "submittals-attachments", "Photos"];
  for (const [index, name] of systems.entries()) aps.addFolder(`s${index}`, "root", name);
  const run = await new Table(aps).run("full");
  deepEqual(run.walked, [PROJECT, TOP, urn("plans")]);
  const asked = aps.calls.find(({ pathname }) => pathname.endsWith("/topFolders"));
  equal(asked?.searchParams.get("excludeDeleted"), "true");
  equal(asked?.searchParams.get("projectFilesOnly"), "true");
});

for (const isLinkAbsolute of [false, true]) {
  const links = isLinkAbsolute ? "absolute" : "relative";
  Deno.test(`pages are read to the last ${links} link, empty ones in the middle too`, async () => {
    const aps = new FakeAps();
    aps.isLinkAbsolute = isLinkAbsolute;
    aps.emptyPages = 2;
    for (let index = 0; index < 450; index++) aps.addFile(`a${index}`);
    const table = new Table(aps);
    const { receipt } = await table.run("full");
    equal(table.files.size, 450);
    // The top, two empty pages and three with something on them.
    equal(receipt["pages"], 1 + 2 + 3);
  });
}

Deno.test("pages follow the size that may be read, whatever the one before had", async () => {
  const aps = new FakeAps();
  for (let index = 0; index < 50; index++) aps.addFile(`a${index}`);
  const task = { id: 1, kind: "walk", folder_ids: [TOP], cursor: null, sequence: 0 };
  const first = await autodesk.readPage(task, aps.context({ pageSize: 20 }));
  ok(first.next.type === "more");
  const second = await autodesk.readPage(
    { ...task, cursor: first.next.cursor },
    aps.context({ pageSize: 7 }),
  );
  ok(second.next.type === "more");
  const third = await autodesk.readPage(
    { ...task, cursor: second.next.cursor },
    aps.context({ pageSize: 200 }),
  );
  const ids = [first, second, third].map(({ files }) => files.length);
  // 20, then pages of 5 (which 20 can be divided into), then of 25.
  deepEqual(ids, [20, 5, 25]);
  const seen = [first, second, third].flatMap(({ files }) => files.map((f) => f.external_file_id));
  equal(new Set(seen).size, 50);
  equal(third.next.type, "done");
});

Deno.test("a link to another host is not followed", async () => {
  const aps = new FakeAps();
  aps.interceptor = (url) =>
    url.pathname.endsWith("/contents")
      ? { data: [], links: { next: { href: "https://evil.test/data/v1/x" } } }
      : undefined;
  await rejects(new Table(aps).run("full"), { code: "response_invalid", message: /another host/ });
});

for (
  const [what, next] of [
    ["leads back to itself", (url: URL) => url.pathname + url.search],
    ["has a next link that cannot be read", () => 7],
  ] as const
) {
  Deno.test(`a folder whose page ${what} is not taken for read, and stops no other`, async () => {
    const aps = new FakeAps();
    const [bad, good] = [aps.addFolder("bad"), aps.addFolder("good")];
    aps.addFile("lost", "bad");
    aps.addFile("found", "good");
    aps.interceptor = (url) =>
      url.pathname.endsWith("/contents") && decodeURIComponent(url.pathname).includes(bad)
        ? { data: [], links: { next: { href: next(url) } } }
        : undefined;
    const table = new Table(aps);
    const { skipped } = await table.run("full");
    deepEqual(skipped.map(({ external_folder_id, code }) => [external_folder_id, code]), [
      [bad, "unavailable"],
    ]);
    deepEqual([...table.files.keys()], [lineage("found")]);
    ok(table.folders.has(good));
  });
}

Deno.test("an unreadable answer is the whole project's matter where the project's is, too", async () => {
  const aps = new FakeAps();
  aps.addFolder("a");
  aps.interceptor = (url) => url.pathname.endsWith("/contents") ? { data: "none" } : undefined;
  const table = new Table(aps);
  equal((await table.run("full")).skipped.length, 1);
  aps.interceptor = (url) =>
    url.pathname.endsWith("/topFolders")
      ? undefined
      : url.pathname.includes("/hubs/") || url.pathname.endsWith("/contents")
      ? { data: "none" }
      : undefined;
  await rejects(new Table(aps).run("incremental"), { code: "response_invalid" });
});

Deno.test("items are kept where included is missing, null or partial", async () => {
  for (const included of [undefined, null, [], [{ type: "versions" }]]) {
    const aps = new FakeAps();
    const item = { type: "items", id: lineage("a"), attributes: { displayName: "a.dwg" } };
    aps.interceptor = (url) =>
      url.pathname.endsWith("/contents") ? { data: [item], included } : undefined;
    const table = new Table(aps);
    const { receipt } = await table.run("full");
    equal(table.files.get(lineage("a"))?.file_name, "a.dwg");
    equal(receipt["items_without_version"], 1);
  }
});

Deno.test("an entry that cannot be read is reported and stops no other", async () => {
  const aps = new FakeAps();
  const good = { type: "items", id: lineage("a"), attributes: { displayName: "a.dwg" } };
  const bad = [{ type: "items", id: "urn:bad" }, 7, { type: "future", id: "urn:new" }];
  aps.interceptor = (url) =>
    url.pathname.endsWith("/contents") ? { data: [good, ...bad] } : undefined;
  const { skipped } = await new Table(aps).run("full");
  deepEqual(skipped.map((each) => each.external_folder_id), ["urn:bad", TOP, "urn:new"]);
});

Deno.test("a file and a folder of one name lie side by side, and an entry shown twice is one", async () => {
  const aps = new FakeAps();
  aps.addFolder("f", "top", "same");
  aps.addFile("a", "top", "same");
  const table = new Table(aps);
  await table.run("full");
  deepEqual(table.paths(), aps.paths());
});

Deno.test("a folder that may not be read is skipped, and nothing is deleted", async () => {
  for (const status of [403, 404]) {
    const aps = new FakeAps();
    aps.addFolder("f");
    aps.addFile("a", "f");
    aps.addFile("b");
    const table = new Table(aps);
    await table.run("full");
    // Lost between the look at the folder above and the look at this one.
    aps.interceptor = (url) =>
      url.pathname.endsWith(`${encodeURIComponent(urn("f"))}/contents`)
        ? aps.refuse(url, status)
        : undefined;
    const { skipped } = await table.run("full");
    deepEqual(skipped.map((each) => each.external_folder_id), [urn("f")]);
    equal(table.files.size, 2);
  }
});

Deno.test("a folder whose sight is lost keeps its files; a deleted one takes them along", async () => {
  for (const mode of ["full", "incremental"] as const) {
    const aps = new FakeAps();
    for (const word of ["lost", "deleted"]) {
      aps.addFolder(word);
      aps.addFolder(`${word}-below`, word);
      aps.addFile(`${word}-a`, `${word}-below`);
    }
    const table = new Table(aps);
    await table.run("full");
    aps.nowMs += 60_000;
    aps.refused.set(urn("lost"), 404);
    aps.setHidden(urn("deleted"), true);
    await table.run(mode);
    deepEqual([...table.files.keys()], [lineage("lost-a")]);
  }
});

Deno.test("a moved file is the same file elsewhere, whichever folder is read first", async () => {
  for (const [from, to] of [["f", "g"], ["g", "f"]] as const) {
    const aps = new FakeAps();
    aps.addFolder("f");
    aps.addFolder("g");
    aps.addFile("a", from);
    const table = new Table(aps);
    await table.run("full");
    aps.nowMs += 60_000;
    aps.move(lineage("a"), urn(to));
    await table.run("incremental");
    deepEqual(table.paths(), new Map([[lineage("a"), `/Project Files/${to}/a.pdf`]]));
  }
});

Deno.test("a task that is not one folder, or of no known kind, begins the listing again", async () => {
  const context = new FakeAps().context();
  const task = { id: 1, kind: "walk", folder_ids: [], cursor: null, sequence: 0 };
  await rejects(autodesk.readPage(task, context), { code: "cursor_expired" });
  const two = { ...task, folder_ids: ["a", "b"] };
  await rejects(autodesk.readPage(two, context), { code: "cursor_expired" });
  await rejects(autodesk.readPage({ ...task, kind: "?" }, context), { code: "cursor_expired" });
  const old = { ...task, folder_ids: [TOP], cursor: { page: 2 } };
  await rejects(autodesk.readPage(old, context), { code: "cursor_expired" });
});
