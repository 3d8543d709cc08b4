import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { AccessToken, TokenContext } from "../types.ts";
import { type Application, basicAuthorization } from "./applications.ts";
import type { AutodeskConfig } from "./config.ts";
import { type Asker, credentialsOf } from "./credentials.ts";
import { READ_SCOPE } from "./scopes.ts";
import { toTokenError } from "./token_errors.ts";

const LONGEST_WAIT_MS = 20_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
  token_type: z.string().min(1).default("Bearer"),
  scope: z.string().min(1).optional(),
});

async function post(
  { settings, fetch, signal }: TokenContext<AutodeskConfig>,
  application: Application,
  form: Readonly<Record<string, string>>,
): Promise<{ readonly response: Response; readonly body: unknown }> {
  try {
    const response = await fetch(settings.tokenUrl, {
      method: "POST",
      // Autodesk refuses a request that names the client in its body as well.
      headers: { accept: "application/json", authorization: basicAuthorization(application) },
      body: new URLSearchParams(form),
      // The secret goes to the configured address and nowhere else.
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_WAIT_MS)]),
    });
    return { response, body: parseJson(await response.text()) };
  } catch (cause) {
    // The caller's own abort is not a failure of Autodesk's.
    signal.throwIfAborted();
    const message = "Autodesk's token service could not be reached; it will be tried again";
    throw new SyncError("unavailable", message, { cause });
  }
}

/** What is asked for: a token of the application's own, or one of a service account's. */
async function grantForm(
  { application, serviceAccount }: Asker,
  now: Date,
): Promise<Readonly<Record<string, string>>> {
  if (serviceAccount === null) return { grant_type: "client_credentials", scope: READ_SCOPE };
  return {
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: await serviceAccount.signAssertion(application.clientId, now),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page instead of Autodesk's answer: the status says enough.
    return null;
  }
}

/**
 * Obtains an access token for the application itself (two-legged), or for the Secure Service Account
 * that the endpoint names, which is a user of its own and needs no refresh token.
 * https://aps.autodesk.com/en/docs/oauth/v2/reference/http/gettoken-POST/
 */
export async function issueToken(context: TokenContext<AutodeskConfig>): Promise<AccessToken> {
  const asker = credentialsOf(context.settings).choose(context.config);
  const now = context.now();
  const { response, body } = await post(context, asker.application, await grantForm(asker, now));
  if (!response.ok) {
    const { status, headers } = response;
    const { clientId } = asker.application;
    const serviceAccount = asker.serviceAccount?.name ?? null;
    throw toTokenError({ status, headers, body, clientId, serviceAccount, now });
  }
  const answer = tokenAnswer.safeParse(body);
  if (!answer.success) {
    const message = "Cannot read the answer of Autodesk's token service; it will be tried again";
    throw new SyncError("response_invalid", message, { cause: answer.error });
  }
  return {
    access_token: answer.data.access_token,
    token_type: answer.data.token_type,
    // An answer without a scope grants what was asked for (RFC 6749, 5.1).
    scope: answer.data.scope ?? READ_SCOPE,
    expires_at: new Date(now.getTime() + answer.data.expires_in * 1000),
  };
}
