import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { AccessToken, TokenContext } from "../types.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { Credentials } from "./credentials.ts";
import { DRIVE_SCOPE } from "./scopes.ts";
import { toTokenError } from "./token_errors.ts";

const LONGEST_WAIT_MS = 20_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
  token_type: z.string().min(1).default("Bearer"),
  scope: z.string().min(1).optional(),
});

async function post(
  context: TokenContext<GoogleDriveConfig>,
  assertion: string,
): Promise<{ readonly response: Response; readonly body: unknown }> {
  try {
    const response = await context.fetch(context.settings.tokenUrl, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion,
      }),
      // The assertion is a credential: it goes to the configured address and nowhere else.
      redirect: "error",
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(LONGEST_WAIT_MS)]),
    });
    return { response, body: parseJson(await response.text()) };
  } catch (cause) {
    // The caller's own abort is not a failure of Google's.
    context.signal.throwIfAborted();
    const message = "Google's token service could not be reached; it will be tried again";
    throw new SyncError("unavailable", message, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page instead of Google's answer: the status says enough.
    return null;
  }
}

/**
 * Obtains an access token for the service account, or for the user named by `impersonate`, by a
 * signed assertion. https://developers.google.com/identity/protocols/oauth2/service-account
 */
export async function issueToken(context: TokenContext<GoogleDriveConfig>): Promise<AccessToken> {
  const { credentials, tokenUrl } = context.settings;
  if (!(credentials instanceof Credentials)) {
    throw new TypeError("Cannot issue a token as settings must come from parseSettings()");
  }
  const account = credentials.choose(context.config);
  const now = context.now();
  const { impersonate } = context.config;
  // Google accepts its token endpoint as the audience; with an emulator or a proxy in between, the
  // address that is called is the one that checks.
  const claims = { audience: tokenUrl, scope: DRIVE_SCOPE, subject: impersonate, now };
  const { response, body } = await post(context, await account.signAssertion(claims));
  if (!response.ok) {
    const { status, headers } = response;
    const { setting } = account;
    throw toTokenError({ status, headers, body, impersonate, setting, now });
  }
  const answer = tokenAnswer.safeParse(body);
  if (!answer.success) {
    const message = "Cannot read the answer of Google's token service; it will be tried again";
    throw new SyncError("response_invalid", message, { cause: answer.error });
  }
  return {
    access_token: answer.data.access_token,
    token_type: answer.data.token_type,
    // An answer without a scope grants what was asked for (RFC 6749, 5.1).
    scope: answer.data.scope ?? DRIVE_SCOPE,
    expires_at: new Date(now.getTime() + answer.data.expires_in * 1000),
  };
}
