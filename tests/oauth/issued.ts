/** Tokens as a provider issues them here: nothing else looks like them, and each is registered. */
import { registerSecret } from "../../local/leaks/register.ts";

const RUN = crypto.randomUUID();

/** The access token of the `n`th answer. */
export function accessToken(n: number): string {
  return issued("access_token", `access-${n}-${RUN}`);
}

/** The `n`th of the refresh tokens that are good for one use. */
export function refreshToken(n: number): string {
  return issued("refresh_token", `refresh-${n}-${RUN}`);
}

/** The refresh token that stays good. */
export const LASTING_TOKEN = issued("refresh_token", `refresh-${RUN}`);

function issued(kind: string, value: string): string {
  registerSecret(kind, value);
  return value;
}
