import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { generateTree } from "../../../local/autodesk/generated_tree.ts";
import { EmulatedAps } from "./emulated_aps.ts";
import { Table } from "./table.ts";

function sorted(paths: ReadonlyMap<string, string>): [string, string][] {
  return [...paths].sort(([a], [b]) => a < b ? -1 : 1);
}

Deno.test("a generated project of the emulator is listed, then costs one call while it is quiet", async () => {
  const aps = new EmulatedAps({ hasSystemFolders: true });
  const folderIds = generateTree(aps.model, {
    parent: aps.place.folderId,
    items: 600,
    folders: 200,
  });
  for (const folder of aps.model.folders.values()) {
    if (folder.isSystem) aps.model.createItem({ name: "attachment.pdf", parent: folder.id });
  }
  aps.nowMs += 60_000;
  const table = new Table(aps);
  await table.run("full");
  deepEqual(sorted(table.paths()), sorted(aps.paths()));
  equal((await table.run("incremental")).calls, 1);

  const deepest = folderIds.at(-1) ?? "";
  aps.model.createItem({ name: "new.pdf", parent: deepest });
  aps.nowMs += 60_000;
  const depth = 5;
  const { calls } = await table.run("incremental");
  ok(calls <= depth + 3, `${calls} calls`);
  deepEqual(sorted(table.paths()), sorted(aps.paths()));
});

Deno.test("the emulator's odd answers change nothing: an empty page in the middle, entries twice", async () => {
  const aps = new EmulatedAps();
  generateTree(aps.model, { parent: aps.place.folderId, items: 60, folders: 3 });
  const table = new Table(aps, undefined, 7);
  await table.run("full");
  aps.emulator.control.faults.add({ fault: { type: "empty_page" } });
  aps.emulator.control.faults.add({ fault: { type: "duplicates", count: 3 } });
  await table.run("full");
  deepEqual(sorted(table.paths()), sorted(aps.paths()));
});

Deno.test("a link to another host ends the emulated listing", async () => {
  const aps = new EmulatedAps();
  for (let index = 0; index < 12; index++) {
    aps.model.createItem({ name: `${index}.pdf`, parent: aps.place.folderId });
  }
  const origin = "https://evil.test";
  aps.emulator.control.faults.add({ fault: { type: "foreign_next", origin } });
  await rejects(new Table(aps, undefined, 5).run("full"), { code: "response_invalid" });
});

Deno.test("an app that the emulated account does not know is told whom to ask", async () => {
  const aps = new EmulatedAps();
  aps.model.setProvisioned(aps.place.hubId, "AbCdEfGh", false);
  const { projectId: project_id, hubId: hub_id } = aps.place;
  for (const config of [{ project_id }, { project_id, hub_id }]) {
    await rejects(new Table(aps, config).run("full"), {
      code: "api_disabled",
      message: /Custom Integrations/,
    });
  }
});

Deno.test("a member of the emulated project sees what was granted, and keeps what is taken back", async () => {
  const aps = new EmulatedAps();
  const { id: user } = aps.model.addUser({ email: "member@company.example" });
  aps.model.setMember(aps.place.projectId, user, "member");
  const { id: parent } = aps.model.createFolder({ name: "Granted", parent: aps.place.folderId });
  aps.model.createItem({ name: "a.pdf", parent });
  aps.model.createItem({ name: "b.pdf", parent: aps.place.folderId });
  const { projectId } = aps.place;
  const config = { project_id: projectId, x_user_id: user };
  const table = new Table(aps, config);
  await rejects(table.run("full"), { code: "access_denied", message: /shows the user/ });
  aps.model.grant(parent, user);
  await table.run("full");
  deepEqual([...table.paths().values()], ["/Granted/a.pdf"]);
  aps.model.grant(parent, user, false);
  for (const mode of ["incremental", "full"] as const) {
    await rejects(table.run(mode), { code: "access_denied" });
  }
  equal(table.files.size, 1);
});

const change = fc.record({
  kind: fc.constantFrom("item", "folder", "version", "rename", "move", "delete", "restore", "wait"),
  subject: fc.nat(),
  target: fc.nat(),
});

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

function apply(aps: EmulatedAps, { kind, subject, target }: Change, serial: number): void {
  const { model, place } = aps;
  const tops = new Set([place.folderId, place.rootFolderId]);
  const folderIds = [...model.folders.keys()].filter((id) => id !== place.rootFolderId);
  const ids = [...model.items.keys(), ...folderIds].filter((id) => !tops.has(id));
  const parent = folderIds[target % folderIds.length] ?? place.folderId;
  const id = ids[subject % ids.length];
  try {
    if (kind === "wait") aps.nowMs += target % 10_000;
    else if (kind === "item") model.createItem({ name: `i${serial}.pdf`, parent });
    else if (kind === "folder" && folderIds.length < 8) {
      model.createFolder({ name: `f${serial}`, parent });
    } else if (id === undefined) return;
    else if (kind === "version" && model.items.get(id)?.isHidden === false) model.addVersion(id);
    else if (kind === "rename" && !model.entry(id).isHidden) model.rename(id, `n${serial}`);
    else if (kind === "move") model.move(id, parent);
    else if (kind === "delete") model.delete(id);
    else if (kind === "restore") model.restore(id);
  } catch (error) {
    // What cannot be done is not done: a folder moved into itself.
    if (!(error instanceof RangeError)) throw error;
  }
}

const rounds = fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 5 });

Deno.test("after every incremental run the table is what the emulated project is", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (steps) => {
      const aps = new EmulatedAps();
      const table = new Table(aps, undefined, 3);
      await table.run("full");
      let serial = 0;
      for (const changes of steps) {
        for (const each of changes) apply(aps, each, serial++);
        await table.run("incremental");
        deepEqual(sorted(table.paths()), sorted(aps.paths()));
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("whatever moves the emulated rollups, a full run sets the table right", async () => {
  const rules = fc.record({
    delete: fc.boolean(),
    moveOut: fc.boolean(),
    folderHide: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(rounds, rules, async (steps, rollupRules) => {
      const aps = new EmulatedAps();
      aps.model.setRollupRules(rollupRules);
      const table = new Table(aps);
      await table.run("full");
      let serial = 0;
      for (const changes of steps) {
        for (const each of changes) apply(aps, each, serial++);
        await table.run("incremental");
      }
      await table.run("full");
      deepEqual(sorted(table.paths()), sorted(aps.paths()));
    }),
    { numRuns: 60 },
  );
});
