import type { Setting } from "./catalog.ts";
import type { ResultRow } from "./database.ts";
import { RestFailure } from "./failure.ts";
import { contentTypeOf, type MediaShape } from "./media.ts";
import type { Preferences } from "./preferences.ts";
import type { Query } from "./query_types.ts";
import type { RowRange } from "./ranges.ts";

/** A request after its headers and its query string have been read. */
export interface RestRequest {
  readonly method: string;
  readonly query: Query;
  /** The window asked for by header, before that of the query string. */
  readonly headerRange: RowRange | null;
  readonly preferences: Preferences;
  readonly shape: MediaShape;
  readonly body: string;
}

/** An answer, before the function's own headers are laid over it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** A request that is ready to run. */
export interface Plan {
  readonly sql: string;
  readonly values: readonly string[];
  readonly isReadOnly: boolean;
  /** Settings that a function asks to hold before it is called. */
  readonly settings: readonly Setting[];
  /** Throws, inside the transaction, when the result must not stand. */
  readonly check: (row: ResultRow) => void;
  readonly respond: (row: ResultRow) => Answer;
}

/** The most rows of a table, view or function in one answer: the platform's default. */
export const MAX_ROWS = 1000;

/** What a function or trigger may say of the answer. */
export const RESPONSE_SETTINGS =
  "nullif(current_setting('response.status', true), '') as status, " +
  "nullif(current_setting('response.headers', true), '') as headers";

/** The rows of `answered` as JSON. */
export function rowsAsJson(shape: MediaShape): string {
  return shape === "single"
    ? "(json_agg(answered.*)->0)::text"
    : "coalesce(json_agg(answered.*)::text, '[]')";
}

/** Where one row was asked for, refuses none or several. */
export function requireSingle(shape: MediaShape, row: ResultRow): void {
  if (shape !== "single" || row.page === "1") return;
  throw new RestFailure(406, "PGRST116", "Cannot coerce the result to a single JSON object", {
    details: `The result contains ${row.page} rows`,
  });
}

/** Refuses a change of more rows than the caller allows. */
export function requireMaxAffected(preferences: Preferences, row: ResultRow): void {
  if (preferences.maxAffected === null || Number(row.page) <= preferences.maxAffected) return;
  throw new RestFailure(
    400,
    "PGRST124",
    "Query result exceeds max-affected preference constraint",
    { details: `The query affects ${row.page} rows` },
  );
}

/** Headers that each answer with rows carries. */
export function commonHeaders(
  request: RestRequest,
  contentRange: string,
  hasBody: boolean,
): Record<string, string> {
  const { applied } = request.preferences;
  return {
    "content-range": contentRange,
    ...(hasBody
      ? { "content-type": contentTypeOf(request.shape), "content-profile": "public" }
      : {}),
    ...(applied.length > 0 ? { "preference-applied": applied.join(", ") } : {}),
  };
}
