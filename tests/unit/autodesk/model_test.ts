import { deepEqual } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { FakeAps, lineage, TOP, urn } from "./fake_aps.ts";
import { Table } from "./table.ts";

const FOLDERS = 6;
const FILES = 8;

const operation = fc.record({
  kind: fc.constantFrom("folder", "file", "version", "move", "hide", "show", "rename", "wait"),
  subject: fc.nat(),
  target: fc.nat(),
});

type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

function pick<Value>(values: readonly Value[], index: number): Value | undefined {
  return values[index % values.length];
}

/** Does what is asked where it can be done. */
function apply(aps: FakeAps, { kind, subject, target }: Operation, serial: number): void {
  const all = [...aps.entries.values()].filter(({ id }) => id !== TOP);
  const folders = [TOP, ...all.filter(({ type }) => type === "folders").map(({ id }) => id)];
  const entry = pick(all, subject);
  const folderId = pick(folders, target) ?? TOP;
  const parent = folderId.slice(urn("").length);
  switch (kind) {
    case "folder":
      if (folders.length < FOLDERS) aps.addFolder(`f${serial}`, parent);
      return;
    case "file":
      if (all.length - folders.length < FILES) aps.addFile(`a${serial}`, parent);
      return;
    case "wait":
      aps.nowMs += target % 10_000;
      return;
  }
  if (entry === undefined) return;
  if (kind === "version" && entry.type === "items" && !entry.hidden) aps.addVersion(entry.id);
  if (kind === "move" && !aps.isBelow(folderId, entry.id)) aps.move(entry.id, folderId);
  if (kind === "hide" && !entry.hidden) aps.setHidden(entry.id, true);
  if (kind === "show" && entry.hidden) aps.setHidden(entry.id, false);
  if (kind === "rename" && !entry.hidden) aps.rename(entry.id, `n${serial}`);
}

const rounds = fc.array(fc.array(operation, { maxLength: 8 }), { maxLength: 6 });

Deno.test("after every incremental run the table is what the project is", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, fc.integer({ min: 1, max: 5 }), async (steps, pageSize) => {
      const aps = new FakeAps();
      const table = new Table(aps, undefined, pageSize);
      await table.run("full");
      let serial = 0;
      for (const operations of steps) {
        for (const each of operations) apply(aps, each, serial++);
        await table.run("incremental");
        deepEqual(sorted(table.paths()), sorted(aps.paths()));
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("a full run finds what a frugal rollup has hidden from the others", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (steps) => {
      const aps = new FakeAps();
      aps.isRollupFrugal = true;
      const table = new Table(aps);
      await table.run("full");
      let serial = 0;
      for (const operations of steps) {
        for (const each of operations) apply(aps, each, serial++);
        await table.run("incremental");
      }
      await table.run("full");
      deepEqual(sorted(table.paths()), sorted(aps.paths()));
    }),
    { numRuns: 150 },
  );
});

function sorted(paths: ReadonlyMap<string, string>): [string, string][] {
  return [...paths].sort(([a], [b]) => a < b ? -1 : 1);
}

Deno.test("a deletion that moves no rollup is noticed by the number of children", async () => {
  const aps = new FakeAps();
  aps.isRollupFrugal = true;
  aps.addFile("a");
  aps.nowMs += 60_000;
  const table = new Table(aps);
  await table.run("full");
  aps.setHidden(lineage("a"), true);
  await table.run("incremental");
  deepEqual(table.paths(), new Map());
});
