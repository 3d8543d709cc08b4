import { z } from "zod";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type { GrantFailure, Provider } from "../../supabase/functions/_shared/providers/types.ts";
import { CLIENT_ID, CLIENT_SECRET } from "./settings.ts";

const refusal = z.object({ error: z.string() });

/** Words of a refused call that say more than its status; the engine decides the rest by status. */
export const classify: Provider<unknown>["classify"] = ({ body }) => {
  const { data } = refusal.safeParse(body);
  if (data?.error !== "quota_exceeded") return null;
  return { code: "rate_limited", message: "Acme Files asks for fewer calls (quota_exceeded)." };
};

/** Translates a refusal of the token address (RFC 6749, 5.2). */
export function classifyGrant({ status, body }: GrantFailure): SyncError {
  const { data } = refusal.safeParse(body);
  if (status === 429 || status >= 500 || data === undefined) {
    const message = `Acme Files' token service cannot answer now (status ${status})`;
    return new SyncError(status === 429 ? "rate_limited" : "unavailable", message);
  }
  if (data.error === "invalid_grant") {
    const message = "Acme Files no longer accepts the connection of this account: connect it again";
    return new SyncError("grant_revoked", message);
  }
  const message = `Acme Files does not accept ${CLIENT_ID} and ${CLIENT_SECRET}: check both`;
  return new SyncError("credentials_invalid", message);
}
