/** What the pages of every provider are made of. */
import { z } from "zod";
import { SyncError } from "../errors.ts";
import type { Page } from "./types.ts";

/** Reads a cursor this provider made; one of another shape belongs to a listing to be given up. */
export function parseCursor<Schema extends z.ZodType>(
  schema: Schema,
  cursor: unknown,
): z.output<Schema> {
  const result = schema.safeParse(cursor);
  if (result.success) return result.data;
  throw new SyncError(
    "cursor_expired",
    "Cannot go on with this listing as its stored position has another form; it begins again",
    { cause: result.error },
  );
}

/** A page with nothing on it, to be filled in by the caller. */
export const EMPTY_PAGE: Omit<Page, "next"> = {
  files: [],
  folders: [],
  walk: [],
  seeds: [],
  skipped: [],
  receipt: {},
};

/** Leaves out the counts that are zero: a receipt tells what happened. */
export function receipt(
  counts: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
