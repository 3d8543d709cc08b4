import type { ConnectorDb } from "../db/connector_db.ts";
import { toSyncError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Grants } from "../oauth/grants.ts";
import type { Provider, ProviderSettings } from "../providers/types.ts";

/** What {@linkcode keepGrants} needs. */
export interface KeepGrantsDeps<Config> {
  readonly db: Pick<ConnectorDb, "ownedEndpoint">;
  readonly grants: Grants;
  readonly provider: Pick<
    Provider<Config>,
    "key" | "parseConfig" | "oauthProfile" | "classifyGrant"
  >;
  readonly settings: ProviderSettings;
  readonly now: () => Date;
  readonly log: Log;
  /** Aborted when the worker is about to end. */
  readonly unloading: AbortSignal;
}

const LANES = 3;

// What is not reached is due again within the hour, and days remain.
const LONGEST_MS = 60_000;

/**
 * Uses the refresh tokens of endpoints that sync too rarely to keep them alive, whether or not they
 * are enabled. Never throws: what fails for good is recorded with its grant, all else is tried again.
 */
export async function keepGrants<Config>(
  endpointIds: readonly string[],
  deps: KeepGrantsDeps<Config>,
): Promise<void> {
  const deadlineMs = deps.now().getTime() + LONGEST_MS;
  const waiting = [...new Set(endpointIds)];
  async function workLane(): Promise<void> {
    while (deps.now().getTime() < deadlineMs && !deps.unloading.aborted) {
      const endpointId = waiting.shift();
      if (endpointId === undefined) return;
      await keepGrant(endpointId, deps);
    }
  }
  await Promise.all(Array.from({ length: LANES }, workLane));
}

async function keepGrant<Config>(
  endpointId: string,
  { db, grants, provider, settings, log, unloading }: KeepGrantsDeps<Config>,
): Promise<void> {
  try {
    const endpoint = await db.ownedEndpoint(endpointId, null);
    if (endpoint?.endpoint_type !== provider.key) return;
    await grants.accessToken({
      endpointId,
      profile: provider.oauthProfile(provider.parseConfig(endpoint.endpoint_config), settings),
      classify: (failure) => provider.classifyGrant(failure),
      refusedGeneration: null,
      isKeepAlive: true,
      signal: unloading,
    });
    log.info("grant_kept_alive", { endpoint_id: endpointId });
  } catch (cause) {
    // Named again within the hour, unless the provider refused for good; the others must not suffer.
    const { code } = toSyncError(cause);
    log.warn("grant_not_kept_alive", { endpoint_id: endpointId, code, cause });
  }
}
