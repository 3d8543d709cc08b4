/**
 * Cutting a flat listing into windows of createdTime, so that several lanes can read it: page
 * tokens of one query are serial, and createdTime is the one field that never changes.
 */
import { z } from "zod";

/** Half-open: from `from` (with it) to `to` (without it). `null`: open, there is no limit. */
export interface CreatedWindow {
  readonly from: string | null;
  readonly to: string | null;
}

const ALL_OF_TIME: CreatedWindow = { from: null, to: null };

/** The fields of a task's cursor that name its window; none of them means all of time. */
export const createdWindow = {
  from: z.iso.datetime().nullable().default(null),
  to: z.iso.datetime().nullable().default(null),
};

/**
 * After how many pages of a window it may be cut. What was read of it is then read again, so the
 * chances grow rare with what they cost. Early ones matter most: a drive that was filled in a day
 * is found by cutting equal times again and again. (100,000 files of ten years are read by eight
 * lanes in 17 turns instead of 100, those of ten minutes in 37.)
 */
const CUT_AFTER_PAGES: ReadonlySet<number> = new Set([1, 2, 4, 8, 16, 32, 64]);

/** Before this page the whole listing is not cut: most drives end here, and a cut costs calls. */
const FIRST_CUT_AFTER_PAGES = 2;

/** Fewer pages of folders than this say too little of how many files there are. */
const FEWEST_FOLDER_PAGES = 2;

/** Lanes to read folders with, where there is more than a page of them; the others read files. */
const FOLDER_LANES = 4;

/** How often windows may be cut within windows: from fourteen years to less than a second. */
const DEEPEST = 8;

/** Fewer items a window than this say nothing of where to cut. */
const ITEMS_PER_WINDOW = 2;

const FEWEST_IDLE_LANES = 2;

/** A window of which less than this many pages seem to be left is read to its end. */
const FEWEST_PAGES_LEFT = 3;

/** Parts for each cut that is due where nothing is known: many may turn out empty, others full. */
const PARTS_PER_CUT = 3;

/** Drive opened on this day. What claims to be older falls into the first window, which is open. */
const DRIVE_OPENED_MS = Date.UTC(2012, 3, 24);

/** No creation time lies beyond; later ones have more digits than a cursor takes. */
const FAR_FUTURE_MS = Date.UTC(9999, 0);

/** How a window is being read. */
export interface WindowReading {
  readonly window: CreatedWindow;
  /** Pages of this window read so far, with the one at hand. */
  readonly pages: number;
  /** How often what is now this window has been cut. */
  readonly depth: number;
  readonly idleLanes: number;
}

/**
 * The windows into which to cut what is being read, in the order of time, or none. Together they
 * hold exactly what the window holds, and each is smaller.
 *
 * @param createdTimes of the items of the page at hand
 */
export function cutWindow(
  { window, pages, depth, idleLanes }: WindowReading,
  createdTimes: readonly unknown[],
): readonly CreatedWindow[] {
  const lanes = idleLanes + 1;
  const isDue = idleLanes >= FEWEST_IDLE_LANES && CUT_AFTER_PAGES.has(pages) && depth < DEEPEST &&
    (depth > 0 || pages >= FIRST_CUT_AFTER_PAGES) &&
    createdTimes.length >= lanes * ITEMS_PER_WINDOW;
  return isDue ? cutBySample(window, createdTimes, { windows: lanes, pages }) : [];
}

function cutBySample(
  window: CreatedWindow,
  createdTimes: readonly unknown[],
  wanted: { readonly windows: number; readonly pages: number },
): readonly CreatedWindow[] {
  if (!createdTimes.every(isDated)) return [];
  const cutsMs = chooseCuts(window, createdTimes.map((time) => Date.parse(time)), wanted);
  return cutsMs.length === 0 ? [] : cutAt(window, cutsMs);
}

/** What the folders of a corpus say about the files to be read. */
export interface ReadFolders {
  /** Pages of folders that were read. */
  readonly pages: number;
  /** Whether more of them follow. */
  readonly isMore: boolean;
  /** When the oldest of them was created; `null` where that is not known of all. */
  readonly oldest: string | null;
  readonly idleLanes: number;
  readonly now: Date;
}

/**
 * The windows to begin a list of files with, or none. A corpus of many folders has many more files,
 * and hardly any from before its oldest folder: the time since then is cut into equal parts, and all
 * lanes have something to read from the first page on. What turns out to be too much for one window
 * is cut again.
 */
export function firstWindows(read: ReadFolders): readonly CreatedWindow[] {
  const { pages, isMore, idleLanes, now } = read;
  if (pages + (isMore ? 1 : 0) < FEWEST_FOLDER_PAGES || idleLanes < FEWEST_IDLE_LANES) return [];
  const beginMs = probableBeginMs(read);
  if (beginMs === null) return [];
  const windows = idleLanes + 1;
  const partMs = Math.floor((now.getTime() - beginMs) / windows);
  if (partMs < 1) return [];
  return cutAt(ALL_OF_TIME, steps(windows - 1).map((step) => beginMs + (step + 1) * partMs));
}

/** When the first files were created, as far as the folders tell; `null` where they do not. */
function probableBeginMs({ isMore, oldest, now }: ReadFolders): number | null {
  if (oldest === null) return null;
  const oldestMs = Date.parse(oldest);
  const isRecent = now.getTime() - oldestMs < oldestMs - DRIVE_OPENED_MS;
  // Folders of late alone, and others to follow: this may be a list that shows the newest first.
  return isMore && isRecent ? DRIVE_OPENED_MS : oldestMs;
}

/**
 * The windows into which to cut a list of folders of which more follow than the page at hand, or none:
 * everything else waits for folders, or has its path written a second time when they are there.
 *
 * @param createdTimes of the folders of the page at hand
 */
export function cutFolders(
  { pages, idleLanes }: Pick<ReadFolders, "pages" | "idleLanes">,
  createdTimes: readonly unknown[],
): readonly CreatedWindow[] {
  const windows = Math.min(FOLDER_LANES, idleLanes + 1);
  if (createdTimes.length < windows * ITEMS_PER_WINDOW) return [];
  return cutBySample(ALL_OF_TIME, createdTimes, { windows, pages });
}

/**
 * Whether a creation time, as Drive gives it, can be read. An item without one might be in no window at
 * all, and where a folder has none a file may have none either.
 */
export function isDated(createdTime: unknown): createdTime is string {
  return typeof createdTime === "string" && Date.parse(createdTime) < FAR_FUTURE_MS;
}

/** The older of two creation times; what claims to be older than Drive is as old as Drive. */
export function older(left: string | null, right: string): string {
  const ms = Math.max(Date.parse(right), DRIVE_OPENED_MS);
  return left !== null && ms >= Date.parse(left) ? left : new Date(ms).toISOString();
}

/** The parts of a window between the cuts, which ascend within it. */
function cutAt(window: CreatedWindow, cutsMs: readonly number[]): readonly CreatedWindow[] {
  const cuts = cutsMs.map((ms) => new Date(ms).toISOString());
  const edges = [window.from, ...cuts, window.to];
  return edges.slice(1).map((to, index) => ({ from: edges[index] ?? null, to }));
}

/**
 * The instants at which to cut, ascending, each strictly inside the window.
 *
 * The order of a listing is not documented. A page from a random order is a fair sample, and its
 * quantiles make even windows; a page from an order by recency shows the newest end alone, and all
 * the rest lies in the time it leaves out. So the `windows - 1` cuts are shared out by time among
 * the sample's own range, where they are quantiles, and the ranges before and after it, where they
 * are guesses, see {@linkcode guesses}. A window open towards the past is taken to begin when Drive
 * opened, one open towards the future to end with the sample.
 */
function chooseCuts(
  window: CreatedWindow,
  sampleMs: readonly number[],
  { windows, pages }: { readonly windows: number; readonly pages: number },
): readonly number[] {
  const sample = [...sampleMs].sort((left, right) => left - right);
  const [oldest = 0] = sample;
  const newest = sample.at(-1) ?? oldest;
  const span = newest - oldest;
  if (span === 0) return [];
  const from = window.from === null ? null : Date.parse(window.from);
  const to = window.to === null ? null : Date.parse(window.to);
  const before = Math.max(0, oldest - (from ?? DRIVE_OPENED_MS));
  const after = Math.max(0, (to ?? newest) - newest);
  // As many pages like this one as fit into the time that it leaves out, less those read before it.
  const pagesLeft = (before + after) / span - (pages - 1);
  if (before + after > span && pagesLeft < FEWEST_PAGES_LEFT) return [];
  const cuts = windows - 1;
  const share = (ms: number) => Math.round((cuts * ms) / (before + span + after));
  const [older, newer] = [share(before), share(after)];
  const quantiles = Math.max(0, cuts - older - newer);
  const chosen = [
    ...guesses(before, older).map((distance) => oldest - distance),
    ...steps(quantiles).map((step) =>
      sample[Math.floor(((step + 1) * sample.length) / (quantiles + 1))] ?? newest
    ),
    ...guesses(after, newer).map((distance) => newest + 1 + distance),
  ];
  return [...new Set(chosen.map(Math.floor))].sort((left, right) => left - right)
    .filter((ms) => (from === null || ms > from) && (to === null || ms < to));
}

/**
 * Where to cut `length` milliseconds of which nothing is known, as distances from the sample that
 * borders on them; the first is its very edge. Parts of equal time.
 */
function guesses(length: number, count: number): readonly number[] {
  const parts = PARTS_PER_CUT * count;
  return steps(parts).map((step) => (length * step) / parts);
}

/** 0, 1, … `count - 1`. */
function steps(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
