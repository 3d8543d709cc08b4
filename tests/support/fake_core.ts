/** What the parts of the fake database share: who holds which endpoint, and what a test may open. */
import type {
  ChangesCommit,
  ConnectorDb,
  Lease,
  PageCommit,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { type Endpoint, type FakeEndpoint, newEndpoint } from "./fake_endpoint.ts";

/** What tests see and change of a fake database. */
export interface Insides {
  /** Names of the methods called, in order. */
  readonly calls: string[];
  readonly endpoints: Map<string, FakeEndpoint>;
  /** Runs before each call; may throw, wait, or change the state. */
  intercept: (
    method: keyof ConnectorDb,
    lease: Lease | null,
    page?: PageCommit | ChangesCommit,
  ) => Promise<void>;
  /** Most files one sweep deletes, and from how many on it deletes none. */
  readonly sweeping: { limit: number; fuse: number };
  /** What was taken from the buckets of calls, and for how many seconds they were blocked. */
  readonly taken: { readonly bucket: string; readonly units: number }[];
  readonly blocked: { readonly bucket: string; readonly seconds: number }[];
  add(overrides?: Partial<Endpoint>): FakeEndpoint;
  /** Claims one endpoint for a test. */
  lease(endpoint: FakeEndpoint): Lease;
  /** Takes an endpoint from its worker, as the database does with expired leases. */
  takeOver(endpoint: FakeEndpoint): Lease;
}

/** What the calls of a fake database are made with. */
export interface Core {
  readonly insides: Insides;
  /** Notes a call, and lets the test come between. */
  enter(
    method: keyof ConnectorDb,
    lease: Lease | null,
    page?: PageCommit | ChangesCommit,
  ): Promise<void>;
  /** The endpoint of a lease; throws `lease_lost` if it is another's. */
  held(lease: Lease): FakeEndpoint;
  extend(endpoint: FakeEndpoint): void;
  grant(endpoint: FakeEndpoint): Lease;
  nextId(): number;
}

const LEASE_MS = 120_000;

/** Creates the core of an empty fake. */
export function createCore(now: () => Date): Core {
  const endpoints = new Map<string, FakeEndpoint>();
  const calls: string[] = [];
  let lastId = 0;
  const nextId = () => ++lastId;

  function extend(endpoint: FakeEndpoint): void {
    endpoint.leaseExpiresAtMs = now().getTime() + LEASE_MS;
  }

  function grant(endpoint: FakeEndpoint): Lease {
    endpoint.leaseToken = `lease-${nextId()}`;
    endpoint.isDue = false;
    extend(endpoint);
    return { endpoint_id: endpoint.id, lease_token: endpoint.leaseToken };
  }

  const insides: Insides = {
    calls,
    endpoints,
    sweeping: { limit: 20_000, fuse: Infinity },
    taken: [],
    blocked: [],
    intercept: () => Promise.resolve(),
    add(overrides = {}) {
      const id = `endpoint-${nextId()}`;
      const endpoint = newEndpoint(id, overrides);
      endpoints.set(id, endpoint);
      return endpoint;
    },
    lease: grant,
    takeOver: grant,
  };

  return {
    insides,
    async enter(method, lease, page) {
      calls.push(method);
      await insides.intercept(method, lease, page);
    },
    held(lease) {
      const endpoint = endpoints.get(lease.endpoint_id);
      if (endpoint === undefined || endpoint.leaseToken !== lease.lease_token) {
        throw new SyncError("lease_lost", "Another worker has taken over this endpoint.");
      }
      return endpoint;
    },
    extend,
    grant,
    nextId,
  };
}
