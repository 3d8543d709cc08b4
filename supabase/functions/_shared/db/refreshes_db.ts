import { z } from "zod";
import type { Call } from "./connector_db.ts";

/** The part of the database that keeps grants fresh, one refresh at a time. */
export interface RefreshesDb {
  /**
   * Says how to come by an access token of an endpoint's grant. The answer `refresh` is for one caller
   * alone until its lease ends; not to be repeated when the answer is lost.
   */
  beginRefresh(request: RefreshRequest): Promise<BegunRefresh>;
  /** Stores what a refresh brought; `false` when others were stored meanwhile. */
  storeRefresh(refresh: SealedRefresh): Promise<boolean>;
  /** Notes that a refresh failed. */
  failRefresh(failure: FailedRefresh): Promise<NotedFailure>;
  /** Endpoints whose refresh token would lapse if nobody used it, each named once an hour. */
  dueRefreshes(limit: number): Promise<DueRefresh[]>;
}

/** Whose grant is to be used, and which of its tokens will not do. */
export interface RefreshRequest {
  readonly endpoint_id: string;
  /** The provider refused the access token of this generation. */
  readonly refused_generation: number | null;
  /** A token with less time left is replaced. */
  readonly margin_seconds: number;
  readonly lease_seconds: number;
  /** Refresh even if the access token has time left: it is the refresh token that is near its end. */
  readonly is_keep_alive: boolean;
}

/** New tokens, ready to be stored. */
export interface SealedRefresh {
  readonly endpoint_id: string;
  /** That of the tokens they replace. */
  readonly generation: number;
  /** Compact JWE, as the next. */
  readonly access_token: string;
  /** `null`: the one there is stays. */
  readonly refresh_token: string | null;
  readonly token_type: string;
  readonly scope: string | null;
  readonly expires_at: string;
  readonly refresh_by: string;
}

/** A refresh that did not bring tokens. */
export interface FailedRefresh {
  readonly endpoint_id: string;
  readonly generation: number;
  readonly lease_token: string;
  /** The grant is refused for good, with the code and the sentence that its owner sees. */
  readonly is_final: boolean;
  readonly code: string;
  readonly message: string;
}

const BegunRefreshSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ready"),
    access_token: z.string(),
    expires_at: z.string(),
    generation: z.number(),
  }),
  z.object({
    type: z.literal("refresh"),
    refresh_token: z.string(),
    generation: z.number(),
    lease_token: z.string(),
    is_outcome_unknown: z.boolean(),
  }),
  z.object({ type: z.literal("wait") }),
  z.object({ type: z.literal("missing") }),
  z.object({ type: z.literal("ended") }),
]);

const NotedFailureSchema = z.object({ type: z.enum(["ended", "noted", "superseded"]) });

const DueRefreshesSchema = z.array(
  z.object({ endpoint_id: z.string(), endpoint_type: z.string() }),
);

/** How to come by an access token: there is one, ask for one, another worker is asking, or never. */
export type BegunRefresh = z.infer<typeof BegunRefreshSchema>;

/** What became of a grant whose refresh failed; `superseded`: other tokens are there already. */
export type NotedFailure = z.infer<typeof NotedFailureSchema>;

/** An endpoint whose refresh token is to be used lest it lapse. */
export type DueRefresh = z.infer<typeof DueRefreshesSchema>[number];

/** Makes the calls of {@linkcode RefreshesDb}. */
export function createRefreshesDb(call: Call): RefreshesDb {
  return {
    beginRefresh: (request) =>
      call("connector_begin_refresh", { p_request: request }, BegunRefreshSchema),
    storeRefresh: (refresh) => call("connector_store_refresh", { p_refresh: refresh }, z.boolean()),
    failRefresh: (failure) =>
      call("connector_fail_refresh", { p_failure: failure }, NotedFailureSchema),
    dueRefreshes: (limit) =>
      call("connector_due_refreshes", { p_limit: limit }, DueRefreshesSchema),
  };
}
