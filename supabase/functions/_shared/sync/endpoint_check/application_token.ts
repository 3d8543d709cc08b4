import type { Provider, TokenContext } from "../../providers/types.ts";
import { Secret } from "../../secret.ts";
import type { TestToken } from "./check_endpoint.ts";

/** A token of the application's own, asked for anew and kept nowhere. */
export async function applicationToken<Config>(
  provider: Pick<Provider<Config>, "issueToken" | "displayName">,
  context: TokenContext<Config>,
): Promise<TestToken> {
  const issued = await provider.issueToken(context);
  const token = new Secret(issued.access_token);
  return {
    // Another one, as new as this one, would not be accepted either.
    source: { get: () => Promise.resolve(token), invalidate: () => false },
    scope: issued.scope,
    owner: "the application's own",
    expiresAt: issued.expires_at,
  };
}
