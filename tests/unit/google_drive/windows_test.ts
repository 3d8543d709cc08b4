import { deepEqual, equal, ok } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { createdWithin } from "../../../supabase/functions/_shared/providers/google_drive/query.ts";
import {
  type CreatedWindow,
  cutFolders,
  cutWindow,
  firstWindows,
  isDated,
  older,
} from "../../../supabase/functions/_shared/providers/google_drive/windows.ts";

const ALL: CreatedWindow = { from: null, to: null };
/** Of a window that has been cut once; the whole listing waits for its second page. */
const FIRST_PAGE = { window: ALL, pages: 1, depth: 1, idleLanes: 7 };

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** `count` times, evenly spread. */
function spread(from: string, to: string, count: number): string[] {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  return Array.from({ length: count }, (_, n) => iso(start + ((end - start) * n) / (count - 1)));
}

function holds({ from, to }: CreatedWindow, ms: number): boolean {
  return (from === null || ms >= Date.parse(from)) && (to === null || ms < Date.parse(to));
}

const anyMs = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2040, 0) });

Deno.test("cutWindow() cuts a fair sample at its quantiles", () => {
  const times = spread("2012-04-24T00:00:00Z", "2026-01-01T00:00:00Z", 800);
  const windows = cutWindow(FIRST_PAGE, times);
  equal(windows.length, 8);
  for (const window of windows) {
    equal(times.filter((time) => holds(window, Date.parse(time))).length, 100);
  }
});

Deno.test("cutWindow() cuts the time that a page of newest items leaves out evenly", () => {
  const windows = cutWindow(
    FIRST_PAGE,
    spread("2025-12-20T00:00:00Z", "2026-01-01T00:00:00Z", 1000),
  );
  equal(windows.at(-1)?.from, "2025-12-20T00:00:00.000Z");
  const lengths = windows.slice(1, -1).map(({ from, to }) =>
    Date.parse(to ?? "") - Date.parse(from ?? "")
  );
  equal(lengths.length, 20);
  ok(Math.max(...lengths) - Math.min(...lengths) <= 1);
});

Deno.test("cutWindow() cuts what comes after a page of the oldest items, up to the window's end", () => {
  const window = { from: null, to: "2026-01-01T00:00:00.000Z" };
  const times = spread("2012-04-24T00:00:00Z", "2012-05-01T00:00:00Z", 100);
  const windows = cutWindow({ ...FIRST_PAGE, window }, times);
  equal(windows.length, 22);
  equal(windows[0]?.to, "2012-05-01T00:00:00.001Z");
  deepEqual(windows.at(-1)?.to, window.to);
});

Deno.test("cutWindow() leaves a window whole where cutting is of no use", () => {
  const times = spread("2015-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 100);
  const whole = (more: Partial<typeof FIRST_PAGE>, sample: readonly unknown[] = times) =>
    deepEqual(cutWindow({ ...FIRST_PAGE, ...more }, sample), []);
  whole({ idleLanes: 1 });
  whole({ pages: 3 });
  whole({ pages: 5 });
  whole({ pages: 256 });
  whole({ depth: 8 });
  whole({}, []);
  whole({}, times.slice(0, 15));
  whole({}, times.map(() => times[0]));
  whole({}, [...times, undefined]);
  whole({}, [...times, "yesterday"]);
});

Deno.test("cutWindow() cuts ever more rarely, the more was read", () => {
  const times = spread("2015-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 100);
  const due = Array.from({ length: 200 }, (_, index) => index + 1)
    .filter((pages) => cutWindow({ ...FIRST_PAGE, pages }, times).length > 0);
  deepEqual(due, [1, 2, 4, 8, 16, 32, 64]);
});

Deno.test("cutWindow() leaves a listing whole that may end with its second page", () => {
  const times = spread("2015-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 100);
  deepEqual(cutWindow({ ...FIRST_PAGE, depth: 0 }, times), []);
  ok(cutWindow({ ...FIRST_PAGE, depth: 0, pages: 2 }, times).length > 0);
});

Deno.test("cutWindow() leaves a window whole of which little seems to be left", () => {
  const window = { from: "2020-01-01T00:00:00.000Z", to: "2026-01-01T00:00:00.000Z" };
  const page = (from: string, to: string, pages: number) =>
    cutWindow({ ...FIRST_PAGE, window, pages }, spread(from, to, 1000)).length;
  equal(page("2023-06-01T00:00:00Z", "2026-01-01T00:00:00Z", 1), 0);
  equal(page("2020-05-01T00:00:00Z", "2020-12-01T00:00:00Z", 8), 0);
  ok(page("2025-06-01T00:00:00Z", "2026-01-01T00:00:00Z", 1) > 0);
});

/** The page of a window with which it may first be cut. */
function firstDue(depth: number): number {
  return depth === 0 ? 2 : 1;
}

/** An instant of a window, by its share of the years that it has of 1990 to 2040. */
function within({ from, to }: CreatedWindow, share: number): string {
  const fromMs = from === null ? Date.UTC(1990, 0) : Date.parse(from);
  const toMs = to === null ? Date.UTC(2040, 0) : Date.parse(to);
  return iso(Math.min(fromMs + Math.floor(share * (toMs - fromMs)), toMs - 1));
}

Deno.test("windows share out time completely, whatever the cuts", () => {
  const sample = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: 12,
    maxLength: 60,
  });
  const cuts = fc.array(
    fc.record({ sample, idleLanes: fc.integer({ min: 2, max: 9 }), which: fc.nat() }),
    { minLength: 1, maxLength: 5, size: "max" },
  );
  let wasCut = 0;
  fc.assert(
    fc.property(cuts, fc.array(anyMs), (steps, others) => {
      let windows: readonly { window: CreatedWindow; depth: number }[] = [{
        window: ALL,
        depth: 0,
      }];
      const met = new Set(["null/null"]);
      const probes = [...others];
      for (const { sample, idleLanes, which } of steps) {
        const parent = windows[which % windows.length];
        ok(parent !== undefined);
        const { window, depth } = parent;
        const times = sample.map((share) => within(window, share));
        const made = cutWindow({ window, depth, idleLanes, pages: firstDue(depth) }, times);
        if (made.length === 0) continue;
        wasCut++;
        ok(made.length >= 2 && made.length <= 3 * (idleLanes + 1));
        for (const { from, to } of made) {
          // No two windows of one listing may share a key: the second would never be read.
          ok(!met.has(`${from}/${to}`));
          met.add(`${from}/${to}`);
          const edge = Date.parse(from ?? to ?? "");
          probes.push(edge - 1, edge, edge + 1);
        }
        const children = made.map((each) => ({ window: each, depth: depth + 1 }));
        windows = [...windows.filter((each) => each !== parent), ...children];
      }
      for (const ms of probes) {
        equal(windows.filter(({ window }) => holds(window, ms)).length, 1, iso(ms));
      }
    }),
    { numRuns: 500, seed: 20261123 },
  );
  ok(wasCut > 200, `only ${wasCut} cuts`);
});

Deno.test("cutting comes to an end, though every page asks for it", () => {
  let [deepest, cut] = [0, 0];
  const open: { window: CreatedWindow; depth: number }[] = [{ window: ALL, depth: 0 }];
  while (open.length > 0) {
    const next = open.pop();
    ok(next !== undefined);
    const { window, depth } = next;
    deepest = Math.max(deepest, depth);
    // The narrowest sample at the window's own beginning.
    const start = window.from === null ? Date.UTC(2020, 0) : Date.parse(window.from);
    const sample = [start, start + 1, start, start + 1, start, start + 1].map(iso);
    const [, second] = cutWindow(
      { window, depth, idleLanes: 2, pages: firstDue(depth) },
      sample,
    );
    if (second === undefined) continue;
    cut++;
    open.push({ window: second, depth: depth + 1 });
  }
  ok(deepest <= 8 && cut >= 1 && cut <= 8, `deepest ${deepest}, cut ${cut}`);
});

Deno.test("firstWindows() cuts the time since the oldest folder evenly, one window to a lane", () => {
  const read = {
    pages: 2,
    isMore: false,
    oldest: "2020-01-01T00:00:00.000Z",
    idleLanes: 11,
    now: new Date("2026-01-01T00:00:00Z"),
  };
  const windows = firstWindows(read);
  equal(windows.length, 12);
  equal(windows[0]?.to, "2020-07-01T16:00:00.000Z");
  deepEqual([windows[0]?.from, windows.at(-1)?.to], [null, null]);
  for (
    const other of [
      { pages: 1 },
      { idleLanes: 1 },
      { oldest: null },
      { oldest: "2026-01-01T00:00:00.000Z" },
      { oldest: "2031-01-01T00:00:00.000Z" },
    ]
  ) {
    deepEqual(firstWindows({ ...read, ...other }), [], JSON.stringify(other));
  }
});

Deno.test("firstWindows() leaves no instant out and none twice", () => {
  fc.assert(fc.property(anyMs, anyMs, fc.integer({ min: 2, max: 30 }), (oldest, now, idleLanes) => {
    const windows = firstWindows({
      pages: 3,
      isMore: false,
      oldest: iso(oldest),
      idleLanes,
      now: new Date(now),
    });
    if (now - oldest > idleLanes) equal(windows.length, idleLanes + 1);
    const instants = windows.flatMap(({ from, to }) =>
      [from, to].flatMap((edge) => edge === null ? [] : [Date.parse(edge), Date.parse(edge) - 1])
    );
    for (const ms of [oldest, now, ...instants]) {
      if (windows.length > 0) equal(windows.filter((window) => holds(window, ms)).length, 1);
    }
  }));
});

Deno.test("firstWindows() begins beside the folders where one page of them leads to another", () => {
  const read = {
    pages: 1,
    isMore: true,
    oldest: "2017-01-01T00:00:00.000Z",
    idleLanes: 5,
    now: new Date("2026-01-01T00:00:00Z"),
  };
  const windows = firstWindows(read);
  equal(windows.length, 6);
  equal(windows[0]?.to, "2018-07-02T20:00:00.000Z");
  deepEqual(firstWindows({ ...read, isMore: false }), []);
});

Deno.test("firstWindows() takes folders of late for the newest alone where others follow", () => {
  const read = { pages: 1, isMore: true, idleLanes: 5, now: new Date("2026-01-01T00:00:00Z") };
  const [first] = firstWindows({ ...read, oldest: "2025-12-01T00:00:00.000Z" });
  equal(first?.to?.slice(0, 4), "2014");
  const [whole] = firstWindows({
    ...read,
    pages: 2,
    isMore: false,
    oldest: "2025-12-01T00:00:00Z",
  });
  equal(whole?.to?.slice(0, 7), "2025-12");
});

Deno.test("cutFolders() leaves lanes for files, and leaves no instant out and none twice", () => {
  const times = spread("2012-04-24T00:00:00Z", "2026-01-01T00:00:00Z", 800);
  equal(cutFolders({ pages: 1, idleLanes: 11 }, times).length, 4);
  equal(cutFolders({ pages: 1, idleLanes: 2 }, times).length, 3);
  for (const sample of [[], times.slice(0, 7), ["2020-01-01T00:00:00Z", ...Array(9).fill("?")]]) {
    deepEqual(cutFolders({ pages: 1, idleLanes: 11 }, sample), []);
  }
  fc.assert(fc.property(fc.array(anyMs, { minLength: 8, maxLength: 40 }), anyMs, (sample, at) => {
    const windows = cutFolders({ pages: 1, idleLanes: 11 }, sample.map(iso));
    for (const ms of [at, ...sample]) {
      if (windows.length > 0) equal(windows.filter((window) => holds(window, ms)).length, 1);
    }
  }));
});

Deno.test("cutFolders() leaves the folders whole where little seems to be left of them", () => {
  const cut = (from: string) =>
    cutFolders({ pages: 1, idleLanes: 11 }, spread(from, "2026-01-01T00:00:00Z", 1000));
  ok(cut("2025-01-01T00:00:00Z").length > 4 && cut("2018-01-01T00:00:00Z").length > 0);
  deepEqual(cut("2021-01-01T00:00:00Z"), []);
});

Deno.test("older() keeps the older time, and none from before Drive opened", () => {
  const time = "2020-01-01T00:00:00.000Z";
  equal(older(null, time), time);
  equal(older(time, "2019-01-01T01:00:00+01:00"), "2019-01-01T00:00:00.000Z");
  equal(older(time, "1900-01-01T00:00:00Z"), "2012-04-24T00:00:00.000Z");
  equal(older(time, "2021-01-01T00:00:00Z"), time);
});

Deno.test("isDated() takes nothing that is no time, or that no time can be", () => {
  ok(isDated("2021-01-01T00:00:00Z"));
  for (const other of ["soon", "", undefined, null, 7, "+012000-01-01T00:00:00Z"]) {
    ok(!isDated(other), String(other));
  }
});

Deno.test("createdWithin() takes the beginning of a window into it, and leaves its end to the next one", () => {
  const [first, second] = ["2020-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000Z"];
  equal(createdWithin("q", { from: null, to: null }), "q");
  equal(createdWithin("q", { from: null, to: first }), `q and createdTime < '${first}'`);
  equal(
    createdWithin("q", { from: first, to: second }),
    `q and createdTime >= '${first}' and createdTime < '${second}'`,
  );
  equal(createdWithin("q", { from: second, to: null }), `q and createdTime >= '${second}'`);
});
