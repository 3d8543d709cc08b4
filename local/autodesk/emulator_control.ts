import { CallLog, type CallRecord, type Counters } from "../emulator/call_log.ts";
import type { KnownSecret, SecretLog } from "../emulator/secret_log.ts";
import type { AppRegistry, NewApp } from "./apps.ts";
import type { Region } from "./aps_types.ts";
import { createFaultQueue, type FaultPlan } from "./faults.ts";
import type { AuthErrorShape } from "./oauth_error.ts";
import { Quotas, type QuotaSettings } from "./quotas.ts";
import type { AnswerStyle } from "./rendering.ts";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";

/** How slow the service is. */
export interface Latency {
  /** Milliseconds for a page of `folders.contents`. */
  readonly pageMs?: number | undefined;
  /** Milliseconds for every other call. */
  readonly callMs?: number | undefined;
}

/** What a test can order of a running emulator, beside operations on its model. */
export class EmulatorControl {
  readonly faults = createFaultQueue();
  readonly quotas = new Quotas();
  readonly #revokeAccess: () => void;
  readonly #revokeRefresh: () => void;
  readonly #apps: AppRegistry;
  readonly #secrets: SecretLog;
  readonly #log = new CallLog();
  #latency: Latency = {};
  #settings = DEFAULT_SETTINGS;
  #authErrorShape: AuthErrorShape = "oauth";

  constructor(hooks: {
    readonly revokeAccess: () => void;
    readonly revokeRefresh: () => void;
    readonly apps: AppRegistry;
    readonly secrets: SecretLog;
  }) {
    this.#revokeAccess = hooks.revokeAccess;
    this.#revokeRefresh = hooks.revokeRefresh;
    this.#apps = hooks.apps;
    this.#secrets = hooks.secrets;
  }

  /** What was chosen of the service's behaviour. */
  get settings(): Settings {
    return this.#settings;
  }

  /** The form in which the authentication service refuses. */
  get authErrorShape(): AuthErrorShape {
    return this.#authErrorShape;
  }

  /** Makes every call take its time. */
  setLatency(latency: Latency): void {
    this.#latency = latency;
  }

  /** The waiting time of one call. */
  latencyMs(method: string): number {
    const isPage = method === "folders.contents";
    return (isPage ? this.#latency.pageMs : this.#latency.callMs) ?? 0;
  }

  /** Applies the limits of the service, or, with `null`, none. */
  setQuota(settings: QuotaSettings | null): void {
    this.quotas.set(settings);
  }

  /** Chooses how links and times are written. */
  setStyle(style: Partial<AnswerStyle>): void {
    this.#settings = { ...this.#settings, style: { ...this.#settings.style, ...style } };
  }

  /** Chooses whether the filters of `topFolders` have an effect without a user. */
  setTopFolderFilters(topFolderFilters: Settings["topFolderFilters"]): void {
    this.#settings = { ...this.#settings, topFolderFilters };
  }

  /** Makes the hubs of a region fail with a status; `null` ends it. */
  setRegionOutage(region: Region, status: number | null): void {
    const outages = new Map(this.#settings.outages);
    if (status === null) outages.delete(region);
    else outages.set(region, status);
    this.#settings = { ...this.#settings, outages };
  }

  /** Chooses the form in which the authentication service refuses. */
  setAuthErrorShape(shape: AuthErrorShape): void {
    this.#authErrorShape = shape;
  }

  /** Orders a fault. */
  addFault(plan: FaultPlan): void {
    this.faults.add(plan);
  }

  /** Drops every fault still to come. */
  clearFaults(): void {
    this.faults.clear();
  }

  /** Makes every access token worthless. */
  revokeAccessTokens(): void {
    this.#revokeAccess();
  }

  /** Makes every refresh token worthless. */
  revokeRefreshTokens(): void {
    this.#revokeRefresh();
  }

  /** Gives an app another secret. */
  setClientSecret(clientId: string, secret: string): void {
    this.#apps.setSecret(clientId, secret);
  }

  /** Lets one more app ask for tokens; one of the same id is replaced. */
  registerApp(app: NewApp): void {
    this.#apps.add(app);
  }

  /** Every secret that was given away or shown so far. */
  knownSecrets(): readonly KnownSecret[] {
    return this.#secrets.all();
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
