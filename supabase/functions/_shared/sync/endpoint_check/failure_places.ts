import type { FailureCode } from "../../errors.ts";

/** Which check a failure of a call to the provider's API belongs to. */
export const PLACES: Readonly<
  Record<FailureCode, "scope" | "api_enabled" | "reachable" | "quota">
> = {
  access_denied: "reachable",
  api_disabled: "api_enabled",
  config_invalid: "reachable",
  credentials_invalid: "scope",
  cursor_expired: "reachable",
  deletions_held: "reachable",
  function_unavailable: "reachable",
  grant_missing: "scope",
  grant_revoked: "scope",
  internal: "reachable",
  lease_lost: "reachable",
  listing_incomplete: "reachable",
  quota_exhausted: "quota",
  rate_limited: "quota",
  response_invalid: "reachable",
  schedule_invalid: "reachable",
  scope_not_found: "reachable",
  setting_invalid: "reachable",
  superseded: "reachable",
  unavailable: "reachable",
  worker_lost: "reachable",
};

/** Refusals that only an API which may be used gives. */
export const ANSWERED: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "access_denied",
  "config_invalid",
  "scope_not_found",
]);
