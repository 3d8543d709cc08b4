import { quotaExceeded } from "./api_error.ts";

/** How the service's limits are applied. */
export interface QuotaSettings {
  /** Multiplies every limit; by default 1. */
  readonly scale?: number | undefined;
  /** The time for which a limit holds; by default a minute. */
  readonly windowMs?: number | undefined;
  /** Whether a refusal says when to come back; by default it does. */
  readonly hasRetryAfter?: boolean | undefined;
}

const MINUTE_MS = 60_000;

/** Calls per client id, per route and minute. They are counted only while a setting is made. */
export class Quotas {
  readonly #windows = new Map<string, { startMs: number; calls: number }>();
  #settings: QuotaSettings | null = null;

  /** Switches the limits on, or off with `null`. */
  set(settings: QuotaSettings | null): void {
    this.#settings = settings;
    this.#windows.clear();
  }

  /** Counts a call; throws 429 where it is one too many. */
  spend(clientId: string, route: string, callsPerMinute: number, nowMs: number): void {
    const settings = this.#settings;
    if (settings === null) return;
    const windowMs = settings.windowMs ?? MINUTE_MS;
    const key = `${clientId} ${route}`;
    let window = this.#windows.get(key);
    if (window === undefined || nowMs - window.startMs >= windowMs) {
      window = { startMs: nowMs, calls: 0 };
      this.#windows.set(key, window);
    }
    window.calls++;
    if (window.calls <= callsPerMinute * (settings.scale ?? 1)) return;
    const waitSeconds = Math.ceil((window.startMs + windowMs - nowMs) / 1000);
    throw quotaExceeded(settings.hasRetryAfter === false ? null : Math.max(1, waitSeconds));
  }
}
