import { z } from "zod";
import type { Claim } from "../db/connector_db.ts";
import { FAILURE_CODES, type FailureCode } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { LANES } from "../sync/limits.ts";

/** Claims that go to one invocation of a sync function. */
export interface Batch {
  readonly endpointType: string;
  readonly claims: readonly Claim[];
}

/** A batch as it is handed over. */
export interface StartedBatch extends Batch {
  /** Endpoints whose grants are to be kept alive. */
  readonly refreshes: readonly string[];
  /** More was due than was claimed: whoever is done with the batch looks for more. */
  readonly isMoreDue: boolean;
}

/** Whether an invocation took its work, and if not, why. */
export type StartResult =
  | { readonly type: "started" }
  | {
    readonly type: "refused";
    readonly code: FailureCode;
    readonly message: string;
    readonly cause: unknown;
  };

/** What {@linkcode startSync} needs. */
export interface StartDeps {
  /** Carries a short time limit: a sync function answers before it works. */
  readonly fetch: typeof fetch;
  readonly supabaseUrl: string;
  readonly secretKey: Secret;
}

/**
 * Most light endpoints in one invocation: calls between functions are limited, CPU time is too. No
 * more than it works on at once, since a lease that waits keeps another sync from running.
 */
const LIGHT_PER_INVOCATION = LANES;

const RefusalBody = z.object({ code: z.enum(FAILURE_CODES), message: z.string().max(2_000) });

/** A heavy endpoint gets an invocation of its own; light ones of a type share, ten together. */
export function toBatches(claims: readonly Claim[]): Batch[] {
  const batches: Batch[] = [];
  const lightByType = new Map<string, Claim[]>();
  for (const claim of claims) {
    const endpointType = claim.endpoint_type;
    const light = lightByType.get(endpointType) ?? [];
    if (claim.is_heavy) batches.push({ endpointType, claims: [claim] });
    else lightByType.set(endpointType, [...light, claim]);
  }
  for (const [endpointType, light] of lightByType) {
    for (let first = 0; first < light.length; first += LIGHT_PER_INVOCATION) {
      batches.push({ endpointType, claims: light.slice(first, first + LIGHT_PER_INVOCATION) });
    }
  }
  return batches;
}

/** The slug of the function that syncs a type of endpoint. */
export function syncSlug(endpointType: string): string {
  return `sync-${endpointType.replaceAll("_", "-")}`;
}

/** Hands a batch to its sync function. Never throws: a refusal says why and what to do. */
export async function startSync(deps: StartDeps, batch: StartedBatch): Promise<StartResult> {
  const slug = syncSlug(batch.endpointType);
  try {
    const response = await deps.fetch(
      `${deps.supabaseUrl}/functions/v1/${encodeURIComponent(slug)}`,
      {
        method: "POST",
        headers: { "content-type": "application/json", apikey: deps.secretKey.reveal() },
        body: JSON.stringify({
          leases: batch.claims.map(({ endpoint_id, lease_token }) => ({
            endpoint_id,
            lease_token,
          })),
          refreshes: batch.refreshes,
          more_due: batch.isMoreDue,
        }),
      },
    );
    const body = await response.text();
    if (response.status === 202) return { type: "started" };
    return refusalOf(slug, response.status, body);
  } catch (cause) {
    const message = `The function ${slug} could not be reached; it is called again by itself.`;
    return { type: "refused", code: "function_unavailable", message, cause };
  }
}

function refusalOf(slug: string, status: number, body: string): StartResult {
  const cause = { status };
  if (status === 404) {
    const message =
      `The function ${slug} is not deployed: run \`supabase functions deploy ${slug}\`.`;
    return { type: "refused", code: "function_unavailable", message, cause };
  }
  if (status === 401 || status === 403) {
    const message = `The function ${slug} refused the project's secret key: deploy it again with ` +
      "the repository's config.toml (verify_jwt = false).";
    return { type: "refused", code: "function_unavailable", message, cause };
  }
  const own = parseRefusal(body);
  if (own?.code === "setting_invalid") return { type: "refused", ...own, cause };
  const message =
    `The function ${slug} answered with HTTP status ${status} instead of 202; it is ` +
    "called again by itself. Its logs say more.";
  return { type: "refused", code: "function_unavailable", message, cause };
}

// A sync function that lacks a setting says which: its sentence helps more than a status.
function parseRefusal(body: string): z.infer<typeof RefusalBody> | null {
  try {
    return RefusalBody.parse(JSON.parse(body));
  } catch {
    // Not one of our answers: the status has to do.
    return null;
  }
}
