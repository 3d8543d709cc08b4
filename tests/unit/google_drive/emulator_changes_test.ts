/** Change logs against the emulated Google Drive: what people do, and what the logs make of it. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { GoogleDriveConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import type {
  ChangePage,
  FeedStart,
  ProviderContext,
} from "../../../supabase/functions/_shared/providers/types.ts";
import { OWNER, type Setup, setUp } from "./emulator_setup.ts";

type Context = ProviderContext<GoogleDriveConfig>;

/** Follows the logs of a scope from where they stand now. */
async function follow(context: Context) {
  let feeds = (await googleDrive.startListing(context)).feeds;
  /** Drains every log, and tells what it said. */
  return async function drain() {
    const pages: ChangePage[] = [];
    const drained: FeedStart[] = [];
    for (const feed of feeds) {
      let at = feed;
      for (let type: ChangePage["next"]["type"] = "more"; type === "more";) {
        const page = await googleDrive.readChanges({ ...at, sequence: 0 }, context);
        pages.push(page);
        type = page.next.type;
        at = { key: feed.key, cursor: JSON.parse(JSON.stringify(page.next.cursor)) };
      }
      drained.push(at);
    }
    feeds = drained;
    return {
      files: pages.flatMap(({ files }) => files),
      folders: pages.flatMap(({ folders }) => folders),
      removed: pages.flatMap(({ removed }) =>
        removed.map((each) => [each.external_id, each.reason])
      ),
      pages: pages.length,
    };
  };
}

/** A shared drive with a folder in it, of which the service account is a member. */
function team({ emulator: { model }, key }: Setup) {
  const drive = model.createDrive({ name: "Team", members: [key.client_email, OWNER] });
  const folder = model.createFolder({ name: "folder", parent: drive.id });
  return { drive, folder, file: model.createFile({ name: "plan.pdf", parent: folder.id }) };
}

/** A folder of the owner's My Drive that is shared with the service account. */
function shared({ emulator: { model }, key }: Setup, name = "shared") {
  const folder = model.createFolder({ name, parent: model.account(OWNER).root.id });
  model.share(folder.id, key.client_email);
  return { folder, file: model.createFile({ name: "plan.pdf", parent: folder.id }) };
}

Deno.test("a log of nothing is one page, and tells nothing of what was before", async () => {
  const setup = await setUp();
  const { drive } = team(setup);
  const drain = await follow(await setup.context({ drive_id: drive.id }));
  deepEqual(await drain(), { files: [], folders: [], removed: [], pages: 1 });
});

Deno.test("a shared drive's log tells of files as they are now", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const { drive, folder, file } = team(setup);
  const other = model.createFolder({ name: "other", parent: drive.id });
  const drain = await follow(await setup.context({ drive_id: drive.id }));

  const added = model.createFile({ name: "new.pdf", parent: other.id });
  model.rename(file.id, "renamed.pdf");
  model.edit(file.id, { size: "77" });
  model.move(file.id, other.id);
  const { files, removed } = await drain();
  deepEqual(
    files.map((each) => [each.external_file_id, each.external_parent_id, each.file_name]),
    [[added.id, other.id, "new.pdf"], [file.id, other.id, "renamed.pdf"]],
  );
  equal(files[1]?.file_size, "77");
  deepEqual(removed, []);

  model.trash(file.id);
  model.delete(added.id);
  deepEqual((await drain()).removed, [[file.id, "trashed"], [added.id, "removed"]]);
  model.untrash(file.id);
  deepEqual((await drain()).files.map((each) => each.external_file_id), [file.id]);
  model.rename(folder.id, "renamed");
  deepEqual((await drain()).folders, [{
    external_folder_id: folder.id,
    external_parent_id: drive.id,
    folder_name: "renamed",
    is_root: false,
    provider_state: { place: drive.id },
  }]);
});

Deno.test("a folder in the trash is told of, its content is not", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const { drive, folder, file } = team(setup);
  const drain = await follow(await setup.context({ drive_id: drive.id }));
  model.trash(folder.id);
  deepEqual((await drain()).removed, [[folder.id, "trashed"]]);
  // An entry of its own says that it went with its folder, whose own entry decides.
  model.rename(file.id, "renamed in the trash.pdf");
  const { removed, files } = await drain();
  deepEqual(removed, []);
  deepEqual(files.map((each) => [each.file_name, each.is_buried]), [[
    "renamed in the trash.pdf",
    true,
  ]]);
  model.untrash(folder.id);
  deepEqual((await drain()).folders.map((each) => each.external_folder_id), [folder.id]);
});

Deno.test("renaming a shared drive says nothing of its files", async () => {
  const setup = await setUp();
  const { drive } = team(setup);
  const drain = await follow(await setup.context({}));
  setup.emulator.model.renameDrive(drive.id, "Team B");
  setup.emulator.model.removeMember(drive.id, setup.key.client_email);
  deepEqual(await drain(), { files: [], folders: [], removed: [], pages: 1 });
});

Deno.test("a lost shared drive is reported, and deletes nothing", async () => {
  const setup = await setUp();
  const { drive, folder } = team(setup);
  const drains = await Promise.all(
    [{ drive_id: drive.id }, { folder_id: folder.id }].map(async (config) =>
      await follow(await setup.context(config))
    ),
  );
  setup.emulator.model.removeMember(drive.id, setup.key.client_email);
  await rejects(async () => await drains[0]?.(), { code: "scope_not_found" });
  await rejects(async () => await drains[1]?.(), { code: "cursor_expired" });
});

Deno.test("dead change tokens are told from everything else", async () => {
  const setup = await setUp();
  const { drive } = team(setup);
  for (const config of [{}, { drive_id: drive.id }]) {
    const drain = await follow(await setup.context(config));
    setup.emulator.control.expireChangeTokens();
    await rejects(drain(), { code: "cursor_expired" });
  }
});

Deno.test("an account's log tells of sharing, and of its end", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const { folder, file } = shared(setup);
  const drain = await follow(await setup.context({}));
  model.unshare(folder.id, setup.key.client_email);
  deepEqual((await drain()).removed, [[folder.id, "removed"]]);
  model.share(folder.id, setup.key.client_email);
  deepEqual((await drain()).folders.map((each) => each.external_folder_id), [folder.id]);
  model.view(file.id, setup.key.client_email);
  deepEqual((await drain()).files.map((each) => each.external_file_id), [file.id]);
});

Deno.test("what moves into a shared drive leaves the account's own corpus, and comes back", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const { folder, file } = shared(setup);
  const { drive } = team(setup);
  model.share(file.id, setup.key.client_email);
  const drain = await follow(await setup.context({}));
  model.move(file.id, drive.id);
  deepEqual((await drain()).removed, [[file.id, "out_of_scope"]]);
  model.move(file.id, folder.id);
  deepEqual((await drain()).files.map((each) => each.external_file_id), [file.id]);
});

Deno.test("what moves between logs that are both followed is not lost, whichever is read first", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const mine = shared(setup);
  const theirs = team(setup);
  const config = { folder_ids: [mine.folder.id, theirs.folder.id] };
  const drain = await follow(await setup.context(config));
  model.move(mine.file.id, theirs.folder.id);
  model.move(theirs.file.id, mine.folder.id);
  const { files, removed } = await drain();
  const places = new Map(files.map((each) => [each.external_file_id, each.external_parent_id]));
  equal(places.get(mine.file.id), theirs.folder.id);
  equal(places.get(theirs.file.id), mine.folder.id);
  deepEqual(removed, []);
  model.delete(mine.file.id);
  const after = await drain();
  ok(after.removed.every(([id, reason]) => id === mine.file.id && reason === "removed"));
  ok(after.removed.length > 0 && after.files.length === 0);
});

Deno.test("a folder of the scope that changes its drive begins the listing again", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const { drive, folder } = team(setup);
  const context = await setup.context({ folder_id: folder.id });
  const drain = await follow(context);
  model.share(folder.id, setup.key.client_email);
  await drain();
  model.move(folder.id, model.account(OWNER).root.id);
  await rejects(drain(), { code: "cursor_expired" });
  const { feeds } = await googleDrive.startListing(context);
  deepEqual(feeds.map(({ key }) => key), ["user"]);
  model.move(folder.id, drive.id);
});

Deno.test("a folder shown to a non-member of its drive is followed in the user's log", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const drive = model.createDrive({ name: "Stranger", members: [OWNER] });
  const folder = model.createFolder({ name: "shown", parent: drive.id });
  model.share(folder.id, setup.key.client_email);
  const drain = await follow(await setup.context({ folder_id: folder.id }));
  const file = model.createFile({ name: "new.pdf", parent: folder.id });
  const { files, removed } = await drain();
  deepEqual(files.map((each) => each.external_file_id), [file.id]);
  deepEqual(removed, []);
});

Deno.test("a file in several folders names them all", async () => {
  const setup = await setUp();
  const { model } = setup.emulator;
  const [one, two] = [shared(setup, "one"), shared(setup, "two")];
  const drain = await follow(await setup.context({ folder_ids: [two.folder.id] }));
  model.addParent(one.file.id, two.folder.id);
  const { files } = await drain();
  deepEqual(files[0]?.candidate_parent_ids, [one.folder.id, two.folder.id]);
  model.removeParent(one.file.id, one.folder.id);
  const later = await drain();
  equal(later.files[0]?.external_parent_id, two.folder.id);
  equal(later.files[0]?.candidate_parent_ids, undefined);
});

Deno.test("a long log with empty pages and repeated entries loses nothing", async () => {
  const setup = await setUp();
  const { model, control } = setup.emulator;
  const { drive, folder } = team(setup);
  const drain = await follow(await setup.context({ drive_id: drive.id }, 7));
  const ids = Array.from(
    { length: 60 },
    (_, n) => model.createFile({ name: `${n}.pdf`, parent: folder.id }).id,
  );
  control.addFault({ fault: { type: "duplicates", count: 3 }, times: 4 });
  control.addFault({ fault: { type: "empty_page" }, skip: 2, times: 3 });
  const { files, pages } = await drain();
  deepEqual([...new Set(files.map((each) => each.external_file_id))].sort(), ids.sort());
  ok(pages > 10);
});
