import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { Secret } from "../../../supabase/functions/_shared/log.ts";
import { createBudget } from "../../../supabase/functions/_shared/sync/budget.ts";
import { createGovernor } from "../../../supabase/functions/_shared/sync/governor.ts";
import {
  createProviderCalls,
  type ProviderCallsOptions,
} from "../../../supabase/functions/_shared/sync/provider_calls.ts";
import { createMemoryLog } from "../../support/memory_log.ts";
import { createTestClock } from "../../support/test_clock.ts";

const API_URL = "https://api.example";
/** A page of it. */
export const PAGE = new URL(`${API_URL}/files?page=1`);

/** What the provider answers to one call. */
export type Answer = () => Response | Promise<Response>;

/** The calls of one slice to a provider that gives these answers, one after the other. */
export function setUp(answers: readonly Answer[], overrides: Partial<ProviderCallsOptions> = {}) {
  const clock = createTestClock();
  const unload = new AbortController();
  const sent: {
    readonly url: string;
    readonly authorization: string;
    readonly redirect: string;
  }[] = [];
  const tokens = ["first", "second", "third"].map((value) => new Secret(value));
  const refused: string[] = [];
  const blocks: number[] = [];
  const rest = [...answers];
  const calls = createProviderCalls({
    provider: { displayName: "Example", classify: () => null },
    apiUrl: API_URL,
    tokens: {
      get: () => Promise.resolve(tokens[0] ?? new Secret("none")),
      invalidate(token) {
        refused.push(token.reveal());
        tokens.shift();
        return true;
      },
    },
    governor: createGovernor({
      db: {
        takeCalls: (_bucket, units) => Promise.resolve({ granted: units, wait_seconds: 0 }),
        blockCalls: (_bucket, seconds) => {
          blocks.push(seconds);
          return Promise.resolve();
        },
      },
      now: clock.now,
      sleep: clock.sleep,
      log: createMemoryLog(),
    }),
    quotaOf: () => ({ bucket: "example", units: 1, unitsPerMinute: 60 }),
    budget: createBudget({ now: clock.now, startedAt: clock.now(), unloading: unload.signal }),
    fetch(input, init) {
      const request = new Request(input, init);
      sent.push({
        url: request.url,
        authorization: request.headers.get("authorization") ?? "",
        redirect: init?.redirect ?? "follow",
      });
      const answer = rest.shift();
      if (answer === undefined) throw new Error("No further call was expected");
      return Promise.resolve(answer());
    },
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    ...overrides,
  });
  const get = (url = PAGE, signal = new AbortController().signal) => calls.getJson(url, { signal });
  return { calls, get, sent, clock, unload, refused, blocks };
}

/** An answer of JSON. */
export const json = (body: unknown, status = 200, headers = {}): Answer => () =>
  new Response(JSON.stringify(body), { status, headers });
/** An answer of text. */
export const text = (body: string, status = 200, headers = {}): Answer => () =>
  new Response(body, { status, headers });

/** The failure with which a call ends. */
export async function failure(promise: Promise<unknown>): Promise<SyncError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof SyncError) return thrown;
    throw thrown;
  }
  throw new Error("Expected a failure");
}
