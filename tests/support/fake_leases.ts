import type { ClaimResult, ConnectorDb } from "../../supabase/functions/_shared/db/connector_db.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type { Core } from "./fake_core.ts";
import { contextOf, type FakeEndpoint, finish } from "./fake_endpoint.ts";

/** Who works on what: claims, leases, and the ends of slices. */
export function fakeLeases(core: Core): Pick<
  ConnectorDb,
  "claim" | "beginSlice" | "finishSlice" | "release" | "renewLease" | "storeToken"
> {
  return {
    async claim({ maxConcurrent, batch, endpointType }): Promise<ClaimResult> {
      await core.enter("claim", null);
      const all = [...core.insides.endpoints.values()];
      const running = all.filter(({ leaseToken }) => leaseToken !== null).length;
      const isClaimable = (one: FakeEndpoint) =>
        one.isDue && one.leaseToken === null &&
        (endpointType === undefined || one.endpoint.endpoint_type === endpointType);
      const picked = all.filter(isClaimable).slice(
        0,
        Math.max(0, Math.min(batch, maxConcurrent - running)),
      );
      return {
        claims: picked.map((one) => ({
          ...core.grant(one),
          endpoint_type: one.endpoint.endpoint_type,
          is_heavy: one.listing !== null,
        })),
        more_due: all.some(isClaimable),
      };
    },

    async beginSlice(leases) {
      await core.enter("beginSlice", null);
      return leases.flatMap((lease) => {
        const endpoint = core.insides.endpoints.get(lease.endpoint_id);
        if (endpoint === undefined || endpoint.leaseToken !== lease.lease_token) return [];
        core.extend(endpoint);
        endpoint.run ??= { id: `run-${core.nextId()}`, slices: 0, filesSeen: 0 };
        endpoint.run.slices += 1;
        endpoint.status = "running";
        return [contextOf(endpoint, lease)];
      });
    },

    async finishSlice(lease, outcome) {
      await core.enter("finishSlice", lease);
      const endpoint = core.held(lease);
      if (outcome.type === "done" && (endpoint.listing?.tasks.size ?? 0) > 0) {
        throw new SyncError("internal", "Cannot close a listing with open tasks");
      }
      finish(endpoint, outcome);
      return { status: endpoint.status, next_run_at: null };
    },

    async release(leases, code) {
      await core.enter("release", null);
      const released = leases.map(({ endpoint_id }) => core.insides.endpoints.get(endpoint_id))
        .filter((endpoint) => endpoint !== undefined);
      for (const endpoint of released) {
        endpoint.releases.push(code);
        endpoint.leaseToken = null;
      }
      return released.length;
    },

    async renewLease(lease) {
      await core.enter("renewLease", lease);
      const endpoint = core.insides.endpoints.get(lease.endpoint_id);
      if (endpoint?.leaseToken !== lease.lease_token) return false;
      core.extend(endpoint);
      return true;
    },

    async storeToken(lease) {
      await core.enter("storeToken", lease);
      core.held(lease);
    },
  };
}
