import assert from "node:assert/strict";
import { generateTree } from "../../local/autodesk/generated_tree.ts";
import {
  type AutodeskSync,
  filesOf,
  pathsOf,
  stateOf,
  withAutodeskSync,
} from "../support/autodesk_sync.ts";
import { expectAfter, goneOf, living, setUp } from "./autodesk_plans.ts";

/** What identifies every version of every row: equal before and after where nothing was written. */
async function rowVersions({ sql }: AutodeskSync): Promise<unknown> {
  return [...await sql`select id, xmin::text, ctid::text from public.files order by id`];
}

Deno.test("a project is walked to every file, with every field", () =>
  withAutodeskSync(async (world) => {
    const { model, place, sql } = world;
    const { id: by } = model.addUser({ email: "ann@example.com", name: "Ann" });
    const item = model.createItem({
      name: "Plan 1.PDF",
      parent: place.folderId,
      size: 1234,
      mimeType: "application/pdf",
      by,
      createdTime: "2026-01-02T03:04:05Z",
      modifiedTime: "2026-01-03T03:04:05.5Z",
    });
    const endpoint = await world.add();
    await world.sync();
    const [row] = await sql`
      select external_file_id, external_parent_id, file_name, file_path, file_link,
        file_size::text, file_type, mime_type, external_created_at, external_updated_at,
        file_metadata, sync_status
      from public.files where endpoint_id = ${endpoint}`;
    assert.match(row?.file_link, /^https:\/\/acc\.autodesk\.com\//);
    const { file_link: _, file_metadata, ...rest } = row ?? {};
    assert.deepEqual(rest, {
      external_file_id: item.id,
      external_parent_id: place.folderId,
      file_name: "Plan 1.PDF",
      file_path: "/Project Files/Plan 1.PDF",
      file_size: "1234",
      file_type: "pdf",
      mime_type: "application/pdf",
      external_created_at: new Date("2026-01-02T03:04:05Z"),
      external_updated_at: new Date("2026-01-03T03:04:05Z"),
      sync_status: "completed",
    });
    const { version_urn, ...metadata } = file_metadata;
    assert.match(version_urn, /^urn:adsk\.wipprod:fs\.file:vf\..+\?version=1$/);
    assert.deepEqual(
      { ...metadata, process_state: typeof metadata.process_state },
      {
        version_number: 1,
        revision_label: "1",
        created_by: "Ann",
        modified_by: "Ann",
        process_state: "string",
        region: "US",
      },
    );
  }));

Deno.test("named folders are walked, each as a top, and nothing beside them", () =>
  withAutodeskSync(async (world) => {
    const { model, place } = world;
    const plans = model.createFolder({ name: "Plans", parent: place.folderId });
    const photos = model.createFolder({ name: "Photos", parent: place.folderId });
    const deep = model.createFolder({ name: "Deep", parent: plans.id });
    model.createItem({ name: "a.pdf", parent: plans.id });
    model.createItem({ name: "b.pdf", parent: deep.id });
    model.createItem({ name: "c.jpg", parent: photos.id });
    model.createItem({ name: "beside.txt", parent: place.folderId });
    world.wait();
    const endpoint = await world.add({
      project_id: place.projectId,
      folder_ids: [plans.id, photos.id],
    });
    await world.sync();
    assert.deepEqual(await living(world, endpoint), ["/Deep/b.pdf", "/a.pdf", "/c.jpg"]);
    assert.deepEqual(await world.callsOfSync(), ["folders.get", "folders.get"]);
    model.move(deep.id, place.folderId);
    world.wait();
    await world.sync();
    assert.deepEqual(await living(world, endpoint), ["/a.pdf", "/c.jpg"]);
    assert.deepEqual(await goneOf(world, endpoint), ["b.pdf removed"]);
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  }));

Deno.test("an unchanged project costs one call and writes no file, and one changed folder its way down", () =>
  withAutodeskSync(async (world) => {
    const { model, place } = world;
    const folders = generateTree(model, { parent: place.folderId, items: 120, folders: 60 });
    world.wait();
    const endpoint = await world.add();
    await world.sync();
    assert.equal((await filesOf(world.sql, endpoint)).length, 120);
    const before = await rowVersions(world);
    assert.deepEqual(await world.callsOfSync(), ["projects.topFolders"]);
    assert.deepEqual(await rowVersions(world), before);
    const state = await stateOf(world.sql, endpoint);
    assert.deepEqual(
      [state.status, state.files_added, state.files_updated, state.provider_calls],
      ["completed", 0, 0, 1],
    );

    const deepest = folders.at(-1) ?? "";
    let depth = 1;
    for (let at = model.folder(deepest); at.id !== place.folderId; depth++) {
      at = at.parent ?? at;
    }
    model.createItem({ name: "new.pdf", parent: deepest });
    world.wait();
    const calls = await world.callsOfSync();
    assert.ok(calls.length <= depth + 3, `${calls.length} calls for a depth of ${depth}`);
    assert.equal((await filesOf(world.sql, endpoint)).length, 121);
    assert.equal((await world.callsOfSync()).length, 1);
  }));

Deno.test("a full listing of an unchanged project writes no file either", () =>
  withAutodeskSync(async (world) => {
    const { endpoint } = await setUp(world);
    const before = await rowVersions(world);
    await world.sql`select public.request_sync(${endpoint}, 'full')`;
    await world.sync();
    assert.deepEqual(await rowVersions(world), before);
    assert.equal((await stateOf(world.sql, endpoint)).files_unchanged, 3);
  }));

Deno.test("files are added, renamed, moved, deleted and restored", () =>
  withAutodeskSync(async (world) => {
    const { model } = world;
    const { parent, top, a, old, b, endpoint } = await setUp(world);
    const expect = (change: () => void, paths: readonly string[]) =>
      expectAfter(world, endpoint, change, paths);
    await expect(() => model.createItem({ name: "new.txt", parent: old.id }), [
      "/Project Files/Plans/Old/b.pdf",
      "/Project Files/Plans/Old/new.txt",
      "/Project Files/Plans/a.pdf",
      "/Project Files/top.txt",
    ]);
    await expect(() => model.rename(top.id, "renamed.txt"), [
      "/Project Files/Plans/Old/b.pdf",
      "/Project Files/Plans/Old/new.txt",
      "/Project Files/Plans/a.pdf",
      "/Project Files/renamed.txt",
    ]);
    await expect(() => model.move(a.id, parent), [
      "/Project Files/Plans/Old/b.pdf",
      "/Project Files/Plans/Old/new.txt",
      "/Project Files/a.pdf",
      "/Project Files/renamed.txt",
    ]);
    assert.deepEqual(await goneOf(world, endpoint), []);
    await expect(() => model.delete(b.id), [
      "/Project Files/Plans/Old/new.txt",
      "/Project Files/a.pdf",
      "/Project Files/renamed.txt",
    ]);
    assert.deepEqual(await goneOf(world, endpoint), ["b.pdf removed"]);
    await expect(() => model.restore(b.id), [
      "/Project Files/Plans/Old/b.pdf",
      "/Project Files/Plans/Old/new.txt",
      "/Project Files/a.pdf",
      "/Project Files/renamed.txt",
    ]);
    assert.equal((await filesOf(world.sql, endpoint)).length, 4, "each file has one row for ever");
  }));

Deno.test("folders are renamed, moved, hidden and shown again, their files with them", () =>
  withAutodeskSync(async (world) => {
    const { model } = world;
    const { parent, plans, old, endpoint } = await setUp(world);
    const expect = (change: () => void, paths: readonly string[]) =>
      expectAfter(world, endpoint, change, paths);
    await expect(() => model.rename(plans.id, "Drawings"), [
      "/Project Files/Drawings/Old/b.pdf",
      "/Project Files/Drawings/a.pdf",
      "/Project Files/top.txt",
    ]);
    await expect(() => model.move(old.id, parent), [
      "/Project Files/Drawings/a.pdf",
      "/Project Files/Old/b.pdf",
      "/Project Files/top.txt",
    ]);
    assert.deepEqual(await goneOf(world, endpoint), []);
    await expect(() => model.delete(plans.id), [
      "/Project Files/Old/b.pdf",
      "/Project Files/top.txt",
    ]);
    await expect(() => model.move(old.id, plans.id), ["/Project Files/top.txt"]);
    assert.deepEqual(await goneOf(world, endpoint), ["a.pdf removed", "b.pdf removed"]);
    await expect(() => model.restore(plans.id), [
      "/Project Files/Drawings/Old/b.pdf",
      "/Project Files/Drawings/a.pdf",
      "/Project Files/top.txt",
    ]);
  }));

Deno.test("a full listing finds the same: what moved, what is hidden, and what is below it", () =>
  withAutodeskSync(async (world) => {
    const { model } = world;
    const { parent, top, plans, a, old, endpoint } = await setUp(world);
    model.move(a.id, parent);
    model.delete(plans.id);
    model.move(top.id, old.id);
    world.wait();
    await world.sql`select public.request_sync(${endpoint}, 'full')`;
    const calls = await world.callsOfSync();
    assert.deepEqual(await living(world, endpoint), ["/Project Files/a.pdf"]);
    assert.deepEqual(await goneOf(world, endpoint), ["b.pdf removed", "top.txt removed"]);
    assert.ok(!calls.includes("items.get") || calls.filter((c) => c === "items.get").length <= 1);
  }));

for (const status of [403, 404] as const) {
  Deno.test(`a folder that is refused with ${status} is kept, and the partial run names it`, () =>
    withAutodeskSync(async (world) => {
      const { model } = world;
      const { plans, old, endpoint } = await setUp(world);
      model.denyAccess(old.id, "AbCdEfGh", status);
      model.createItem({ name: "new.txt", parent: plans.id });
      world.wait();
      for (const mode of ["incremental", "full"]) {
        await world.sql`select public.request_sync(${endpoint}, ${mode})`;
        await world.sync();
        const state = await stateOf(world.sql, endpoint);
        assert.deepEqual([state.status, state.code], ["partial", "listing_incomplete"], mode);
        assert.match(state.message ?? "", /\/Project Files\/Plans\/Old/);
        assert.deepEqual(await goneOf(world, endpoint), []);
        assert.equal((await living(world, endpoint)).length, 4);
      }
      model.allowAccess(old.id, "AbCdEfGh");
      await world.sql`select public.request_sync(${endpoint}, 'full')`;
      await world.sync();
      assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
    }));
}

Deno.test("file_types keeps other files out, also where one becomes such a file elsewhere", () =>
  withAutodeskSync(async (world) => {
    const { model, place } = world;
    const plans = model.createFolder({ name: "Plans", parent: place.folderId });
    const a = model.createItem({ name: "a.pdf", parent: plans.id });
    model.createItem({ name: "b.txt", parent: plans.id });
    world.wait();
    const endpoint = await world.add(undefined, { file_types: ["pdf"] });
    await world.sync();
    assert.deepEqual(await living(world, endpoint), ["/Project Files/Plans/a.pdf"]);
    model.rename(a.id, "a.txt");
    model.move(a.id, place.folderId);
    world.wait();
    await world.sync();
    assert.deepEqual(await goneOf(world, endpoint), ["a.pdf filtered"]);
  }));

Deno.test("max_files_per_sync is kept to; the next runs do the rest", () =>
  withAutodeskSync(async (world) => {
    const { model, place } = world;
    for (let n = 0; n < 25; n++) model.createItem({ name: `${n}.txt`, parent: place.folderId });
    world.wait();
    const endpoint = await world.add(undefined, { max_files_per_sync: 10 });
    const counts: number[] = [];
    for (let run = 0; run < 3; run++) {
      await world.sync();
      counts.push((await pathsOf(world.sql, endpoint)).length);
    }
    assert.deepEqual(counts, [10, 20, 25]);
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  }));

Deno.test("a call for a user carries x-user-id, and what that user may not see is not there", () =>
  withAutodeskSync(async (world) => {
    const { model, place } = world;
    const { id: user } = model.addUser({ email: "member@example.com" });
    model.setMember(place.projectId, user, "member");
    const granted = model.createFolder({ name: "Granted", parent: place.folderId });
    model.createItem({ name: "seen.pdf", parent: granted.id });
    model.createItem({ name: "unseen.pdf", parent: place.folderId });
    model.grant(granted.id, user);
    world.wait();
    const endpoint = await world.add({ project_id: place.projectId, x_user_id: user });
    await world.sync();
    assert.deepEqual(await living(world, endpoint), ["/Granted/seen.pdf"]);
  }));
