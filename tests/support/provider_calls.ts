/** The engine's calls to a provider, without a database, a limit or a wait. */
import { createBudget } from "../../supabase/functions/_shared/sync/budget.ts";
import {
  createProviderCalls,
  type ProviderCalls,
  type ProviderCallsOptions,
} from "../../supabase/functions/_shared/sync/provider_calls.ts";

/** Creates the calls. */
export function providerCalls(
  provider: ProviderCallsOptions["provider"],
  options: Pick<ProviderCallsOptions, "apiUrl" | "tokens" | "fetch">,
): ProviderCalls {
  const now = () => new Date();
  return createProviderCalls({
    ...options,
    provider,
    governor: { admit: () => Promise.resolve(0), block: () => Promise.resolve() },
    quotaOf: () => ({ bucket: "none", units: 1, unitsPerMinute: 60 }),
    budget: createBudget({
      now,
      startedAt: now(),
      unloading: new AbortController().signal,
    }),
    now,
    sleep: () => Promise.resolve(),
    random: () => 0,
  });
}
