import type { OwnedEndpoint } from "../../db/connector_db.ts";
import type { Background } from "../../http/background.ts";
import type { Grants } from "../../oauth/grants.ts";
import type { Provider, ProviderSettings } from "../../providers/types.ts";
import type { Secret } from "../../secret.ts";
import type { TestToken } from "./check_endpoint.ts";

/** Whose grant is to be tested with. */
export interface GrantTokenRequest<Config> {
  readonly grants: Grants;
  readonly endpoint: Pick<OwnedEndpoint, "endpoint_id" | "token">;
  readonly provider: Provider<Config>;
  readonly config: Config;
  readonly settings: ProviderSettings;
  /** Ends the test; a refresh that was begun goes on in the background until it is stored. */
  readonly signal: AbortSignal;
  readonly background: Background;
}

/** A token of the account that was connected to an endpoint, refreshed and stored where that is due. */
export async function grantToken<Config>(request: GrantTokenRequest<Config>): Promise<TestToken> {
  const { grants, endpoint, provider, config, settings, signal, background } = request;
  const profile = provider.oauthProfile(config, settings);
  const ask = (refusedGeneration: number | null) => {
    const asked = grants.accessToken({
      endpointId: endpoint.endpoint_id,
      profile,
      classify: (failure) => provider.classifyGrant(failure),
      refusedGeneration,
      signal,
    });
    // What becomes of it is this test's to tell, as long as there is one.
    background("grant_of_test", asked.catch(() => {}));
    return until(signal, asked);
  };
  let held = ask(null);
  let refused: Secret | null = null;
  const { expiresAt } = await held;
  return {
    source: {
      get: async () => (await held).token,
      invalidate(token) {
        // Calls that were under way together report the same token; its replacement is on its way.
        if (refused !== null) return token.reveal() === refused.reveal();
        refused = token;
        held = held.then(({ generation }) => ask(generation));
        held.catch(() => {});
        return true;
      },
    },
    scope: endpoint.token?.grant_type === "user" ? endpoint.token.scope : null,
    owner: "the connected account's",
    expiresAt,
  };
}

/** Waits no longer than until the signal is aborted. */
async function until<Value>(signal: AbortSignal, wanted: Promise<Value>): Promise<Value> {
  const over = Promise.withResolvers<never>();
  const stop = () => over.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([wanted, over.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
