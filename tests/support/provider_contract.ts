/** The data of a provider's contract tests, and an engine's worth of context over it. */
import assert from "node:assert/strict";
import { z } from "zod";
import { FAILURE_CODES } from "../../supabase/functions/_shared/errors.ts";
import type {
  Provider,
  ProviderContext,
} from "../../supabase/functions/_shared/providers/types.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { createBudget } from "../../supabase/functions/_shared/sync/budget.ts";
import { createProviderCalls } from "../../supabase/functions/_shared/sync/provider_calls.ts";
import { fromFileUrl } from "./source_tree.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const NOW = new Date("2026-03-01T12:00:00Z");
const Code = z.enum(FAILURE_CODES);

/** One answer of the provider; the first one that fits a call is given. */
const Answer = z.strictObject({
  /** The path of the call, decoded, below the API's base. */
  path: z.string().startsWith("/"),
  /** Parameters of the call, each with a part of its value. */
  query: z.record(z.string(), z.string()).default({}),
  body: z.unknown(),
});

const ContractData = z.strictObject({
  /** Settings that are enough for the provider. */
  settings: z.record(z.string().startsWith("CONNECTOR_"), z.string()),
  configs: z.strictObject({
    accepted: z.array(z.unknown()).min(1),
    /** Each with a word of the message, such as the field's name. */
    refused: z.array(z.strictObject({ config: z.unknown(), says: z.string() })).min(1),
  }),
  /** A scope of several pages, and the files in it: their paths by id. */
  listing: z.strictObject({
    config: z.unknown(),
    page_size: z.int().positive(),
    answers: z.array(Answer).min(1),
    files: z.record(z.string(), z.string()),
  }),
  /** What the change log of the listing's beginning tells; for a provider with logs. */
  changes: z.strictObject({
    answers: z.array(Answer).min(1),
    files: z.array(z.string()),
    removed: z.record(z.string(), z.string()),
  }).optional(),
  /** Refusals of calls, and what the engine is to make of them. */
  failures: z.array(z.strictObject({
    path: z.string().startsWith("/"),
    status: z.int(),
    body: z.unknown().optional(),
    code: Code,
  })).min(1),
  /** Refusals of the token address. */
  grants: z.array(z.strictObject({
    request: z.enum(["exchange", "refresh", "revoke"]),
    status: z.int(),
    body: z.unknown(),
    code: Code,
  })).min(1),
});

/** What `tests/testdata/<key>/contract.json` holds. */
export type ContractData = z.infer<typeof ContractData>;

/** Reads a provider's data. */
export function readContractData(key: string): ContractData {
  const path = `tests/testdata/${key}/contract.json`;
  return ContractData.parse(JSON.parse(Deno.readTextFileSync(`${ROOT}${path}`)));
}

/** A value as it comes back from the database. */
export function stored<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}

/** Answers calls from the data; a call that nothing fits fails, naming its address. */
export function answerFrom(
  apiUrl: string,
  answers: ContractData["listing"]["answers"],
): (url: URL) => Response {
  const base = new URL(apiUrl).pathname.replace(/\/$/, "");
  return (url) => {
    const path = decodeURIComponent(url.pathname).slice(base.length);
    const answer = answers.find((candidate) =>
      candidate.path === path &&
      Object.entries(candidate.query).every(([name, part]) =>
        url.searchParams.get(name)?.includes(part)
      )
    );
    assert.ok(answer !== undefined, `The data have no answer to ${decodeURIComponent(url.href)}`);
    return Response.json(answer.body);
  };
}

/** What a provider reads with: the engine's own calls, over `respond`. */
export function contextOver(
  provider: Provider<unknown>,
  data: ContractData,
  respond: (url: URL) => Response,
): ProviderContext<unknown> {
  const config = provider.parseConfig(data.listing.config);
  const settings = provider.parseSettings((name) => data.settings[name]);
  const signal = new AbortController().signal;
  const now = () => NOW;
  const calls = createProviderCalls({
    provider,
    apiUrl: settings.apiUrl,
    headers: provider.callHeaders?.(config) ?? {},
    tokens: { get: () => Promise.resolve(new Secret("token")), invalidate: () => false },
    governor: { admit: () => Promise.resolve(0), block: () => Promise.resolve() },
    quotaOf: (url) => {
      const quota = provider.quotaOf(url, config, settings);
      assert.ok(quota.bucket !== "" && quota.units > 0 && quota.unitsPerMinute >= quota.units);
      return quota;
    },
    budget: createBudget({ now, startedAt: NOW, unloading: signal }),
    fetch: (input) =>
      Promise.resolve(respond(new URL(input instanceof Request ? input.url : input))),
    now,
    sleep: () => Promise.resolve(),
    random: () => 0,
  });
  return {
    config,
    pageSize: data.listing.page_size,
    apiUrl: settings.apiUrl,
    idleLanes: 0,
    mode: "full",
    memory: null,
    now,
    signal,
    getJson: (url, purpose) => calls.getJson(url, { signal, purpose }),
  };
}
