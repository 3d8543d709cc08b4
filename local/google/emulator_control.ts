import { CallLog, type CallRecord, type Counters } from "../emulator/call_log.ts";
import type { KnownSecret } from "../emulator/secret_log.ts";
import { createFaultQueue, type FaultPlan } from "./faults.ts";
import type { GrantFilter } from "./grant_filter.ts";
import type { NewOAuthClient } from "./oauth_clients.ts";
import type { OAuthService } from "./oauth_service.ts";
import type { UserGrant } from "./user_grants.ts";

/** How slow the service is. */
export interface Latency {
  /** Milliseconds for a page of `files.list` or `changes.list`. */
  readonly pageMs?: number | undefined;
  /** Milliseconds for every other call. */
  readonly callMs?: number | undefined;
}

/** How many calls an account may make. */
export interface Quota {
  readonly calls: number;
  readonly windowMs: number;
  /** 403 is `userRateLimitExceeded`, 429 is `rateLimitExceeded`. */
  readonly status: 403 | 429;
  readonly retryAfterSeconds?: number | undefined;
}

/** What a test can order of a running emulator, beside operations on its model. */
export class EmulatorControl {
  readonly faults = createFaultQueue();
  readonly #expirePages: () => void;
  readonly #expireChanges: () => void;
  readonly #oauth: OAuthService;
  #latency: Latency = {};
  #quota: Quota | null = null;
  readonly #windows = new Map<string, { startMs: number; calls: number }>();
  readonly #log = new CallLog();

  constructor(hooks: {
    readonly expirePages: () => void;
    readonly expireChanges: () => void;
    readonly oauth: OAuthService;
  }) {
    this.#expirePages = hooks.expirePages;
    this.#expireChanges = hooks.expireChanges;
    this.#oauth = hooks.oauth;
  }

  /** Makes every call take its time. */
  setLatency(latency: Latency): void {
    this.#latency = latency;
  }

  /** The waiting time of one call. */
  latencyMs(method: string): number {
    const isPage = method === "files.list" || method === "changes.list";
    return (isPage ? this.#latency.pageMs : this.#latency.callMs) ?? 0;
  }

  /** Limits the calls of each account; `null` lifts the limit. */
  setQuota(quota: Quota | null): void {
    this.#quota = quota;
    this.#windows.clear();
  }

  /** Counts one call of an account: the quota it exceeds, or `null`. */
  spend(email: string, nowMs: number): Quota | null {
    const quota = this.#quota;
    if (quota === null) return null;
    let window = this.#windows.get(email);
    if (window === undefined || nowMs - window.startMs >= quota.windowMs) {
      window = { startMs: nowMs, calls: 0 };
      this.#windows.set(email, window);
    }
    window.calls++;
    return window.calls > quota.calls ? quota : null;
  }

  /** Orders a fault. */
  addFault(plan: FaultPlan): void {
    this.faults.add(plan);
  }

  /** Drops every fault still to come. */
  clearFaults(): void {
    this.faults.clear();
  }

  /** Makes every page token of `files.list` and `drives.list` worthless. */
  expirePageTokens(): void {
    this.#expirePages();
  }

  /** Makes every token of the change feeds worthless. */
  expireChangeTokens(): void {
    this.#expireChanges();
  }

  /** Makes every access token worthless. */
  revokeAccessTokens(): void {
    this.#oauth.tokens.revokeAll();
  }

  /** Lets a web application ask people for access; one of the same id is replaced. */
  registerOAuthClient(client: NewOAuthClient): void {
    this.#oauth.addClient(client);
  }

  /** Takes back what people gave to web applications. */
  revokeGrants(filter: GrantFilter): void {
    this.#oauth.revoke(filter);
  }

  /** Lets refresh tokens run out: they are refused, access tokens and consents stay. */
  expireGrants(filter: GrantFilter): void {
    this.#oauth.grants.expireRefreshTokens(filter);
  }

  /** The refresh tokens that are good now, by what they stand for. */
  grants(): readonly UserGrant[] {
    return this.#oauth.grants.live();
  }

  /** Every secret that was given away or shown so far. */
  knownSecrets(): readonly KnownSecret[] {
    return this.#oauth.secrets.all();
  }

  /** Notes an answered call. */
  record(call: CallRecord): void {
    this.#log.record(call);
  }

  /** What was called how often. */
  counters(): Counters {
    return this.#log.counters();
  }

  /** The last calls, oldest first; at least 2,000 are kept. */
  journal(): readonly CallRecord[] {
    return this.#log.journal();
  }

  /** Starts counting anew. */
  resetCounters(): void {
    this.#log.reset();
  }
}
