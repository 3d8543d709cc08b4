import type { AccessTokenSource } from "../../oauth/access_tokens.ts";
import type { CallPurpose, Provider, ProviderSettings, Quota } from "../../providers/types.ts";
import { createBudget } from "../budget.ts";
import type { Governor } from "../governor.ts";
import { createProviderCalls } from "../provider_calls.ts";
import { TestOver } from "./attempt.ts";

/** Most calls of one test; a scope of a hundred folders needs some three for each. */
export const MOST_TEST_CALLS = 320;

const CALL_TIMEOUT_MS = 10_000;

/** What {@linkcode createTestCalls} needs. */
export interface TestCallsOptions<Config> {
  readonly provider: Provider<Config>;
  readonly config: Config;
  readonly settings: ProviderSettings;
  readonly tokens: AccessTokenSource;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly startedAt: Date;
  readonly limitMs: number;
  /** Ends the whole test. */
  readonly deadline: AbortSignal;
}

/** How near the calls came to one of the provider's limits. */
export interface SeenQuota {
  readonly calls: number;
  /** Of the limit of which the largest part was used. */
  readonly units: number;
  readonly unitsPerMinute: number;
}

/** The calls of one test. */
export interface TestCalls {
  getJson(url: URL, purpose?: CallPurpose): Promise<unknown>;
  seenQuota(): SeenQuota;
}

/** Creates the calls of one test: those of a sync, but few, and without a word to the database. */
export function createTestCalls<Config>(options: TestCallsOptions<Config>): TestCalls {
  const { provider, config, settings, deadline } = options;
  const seen = new Map<string, { units: number; unitsPerMinute: number }>();
  let calls = 0;
  const governor = createOwnGovernor(options, (quota) => {
    if (calls >= MOST_TEST_CALLS) throw new TestOver(TOO_MANY);
    calls += 1;
    const units = (seen.get(quota.bucket)?.units ?? 0) + quota.units;
    seen.set(quota.bucket, { units, unitsPerMinute: quota.unitsPerMinute });
  });
  const providerCalls = createProviderCalls({
    ...options,
    apiUrl: settings.apiUrl,
    headers: provider.callHeaders?.(config) ?? {},
    governor,
    quotaOf: (url) => provider.quotaOf(url, config, settings),
    budget: createBudget({ ...options, unloading: deadline, sliceMs: options.limitMs }),
    callTimeoutMs: CALL_TIMEOUT_MS,
  });
  return {
    getJson: (url, purpose) => providerCalls.getJson(url, { signal: deadline, purpose }),
    seenQuota() {
      const [nearest] = [...seen.values()].sort((a, b) => share(b) - share(a));
      return { calls, ...nearest ?? { units: 0, unitsPerMinute: 0 } };
    },
  };
}

const TOO_MANY = `The test stops after ${MOST_TEST_CALLS} calls; so far all went well.`;

function share({ units, unitsPerMinute }: { units: number; unitsPerMinute: number }): number {
  return units / unitsPerMinute;
}

/**
 * Lets calls through until the provider itself asks to wait: a test is too short to need a share of
 * what all workers may ask, and writes nothing.
 */
function createOwnGovernor(
  { now, sleep }: Pick<TestCallsOptions<unknown>, "now" | "sleep">,
  onCall: (quota: Quota) => void,
): Governor {
  const blockedUntilMs = new Map<string, number>();
  return {
    async admit(quota, { deadline, signal }) {
      const untilMs = blockedUntilMs.get(quota.bucket) ?? 0;
      const waitMs = untilMs - now().getTime();
      if (waitMs > 0 && untilMs >= deadline.getTime()) return waitMs;
      if (waitMs > 0) await sleep(waitMs, signal);
      onCall(quota);
      return 0;
    },
    block(quota, ms) {
      blockedUntilMs.set(quota.bucket, now().getTime() + ms);
      return Promise.resolve();
    },
  };
}
