import { RestFailure } from "./failure.ts";

/** A window of rows; `limit` null means no bound of its own. */
export interface RowRange {
  readonly offset: number;
  readonly limit: number | null;
}

/** Reads a `Range: 0-9` header; anything else is no range, as for PostgREST. */
export function parseRangeHeader(header: string | null): RowRange | null {
  const match = /^(?:items=)?(\d+)-(\d*)$/.exec(header ?? "");
  if (match === null) return null;
  const first = Number(match[1]);
  if (match[2] === undefined || match[2] === "") return { offset: first, limit: null };
  const last = Number(match[2]);
  if (last < first) {
    throw rangeFailure(
      "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
    );
  }
  return { offset: first, limit: last - first + 1 };
}

/** The rows in both ranges. */
export function intersectRanges(left: RowRange, right: RowRange): RowRange {
  const offset = Math.max(left.offset, right.offset);
  const end = Math.min(endOf(left), endOf(right));
  return { offset, limit: Number.isFinite(end) ? Math.max(0, end - offset) : null };
}

/** Keeps a range from answering more rows than `maxRows`. */
export function capRange(range: RowRange, maxRows: number): RowRange {
  return { offset: range.offset, limit: Math.min(range.limit ?? maxRows, maxRows) };
}

/** The status and `Content-Range` of a page of rows. */
export function describeRange(
  offset: number,
  rows: number,
  total: number | null,
): { readonly status: number; readonly contentRange: string } {
  if (total !== null && offset > total) {
    throw rangeFailure(`An offset of ${offset} was requested, but there are only ${total} rows.`);
  }
  const window = rows > 0 && total !== 0 ? `${offset}-${offset + rows - 1}` : "*";
  const isPartial = total !== null && rows < total;
  return { status: isPartial ? 206 : 200, contentRange: `${window}/${total ?? "*"}` };
}

/** The answer to a window of rows that cannot be. */
export function rangeFailure(details: string): RestFailure {
  return new RestFailure(416, "PGRST103", "Requested range not satisfiable", { details });
}

function endOf(range: RowRange): number {
  return range.limit === null ? Infinity : range.offset + range.limit;
}
