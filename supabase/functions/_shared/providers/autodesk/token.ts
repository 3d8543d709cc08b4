import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { AccessToken, TokenContext } from "../types.ts";
import { type Application, Applications } from "./applications.ts";
import type { AutodeskConfig } from "./config.ts";
import { CLIENT_ID, CLIENT_SECRET, CLIENTS } from "./settings.ts";
import { toTokenError } from "./token_errors.ts";

/** Enough for every GET of the Data Management API; it opens nothing for writing. */
export const READ_SCOPE = "data:read";

const LONGEST_WAIT_MS = 20_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
  token_type: z.string().min(1).default("Bearer"),
  scope: z.string().min(1).optional(),
});

/** The application that reads for an endpoint. */
function chooseApplication(credentials: unknown, { clientId }: AutodeskConfig): Application {
  if (!(credentials instanceof Applications)) {
    throw new TypeError("Cannot issue a token as settings must come from parseSettings()");
  }
  const application = credentials.find(clientId);
  if (application !== null) return application;
  throw new SyncError(
    "credentials_invalid",
    clientId === null
      ? `Cannot choose an application as endpoint_config must name its client_id where ${CLIENTS} ` +
        `holds several and ${CLIENT_ID} none`
      : `Cannot find the secret of client_id "${clientId}" of endpoint_config: set both as ` +
        `${CLIENT_ID} and ${CLIENT_SECRET}, or add them to ${CLIENTS}`,
  );
}

async function post(
  { settings, fetch, signal }: TokenContext<AutodeskConfig>,
  { authorization }: Application,
): Promise<{ readonly response: Response; readonly body: unknown }> {
  try {
    const response = await fetch(settings.tokenUrl, {
      method: "POST",
      // Autodesk refuses a request that names the client in its body as well.
      headers: { accept: "application/json", authorization },
      body: new URLSearchParams({ grant_type: "client_credentials", scope: READ_SCOPE }),
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page instead of Autodesk's answer: the status says enough.
    return null;
  }
}

/**
 * Obtains an access token for the application itself (two-legged).
 * https://aps.autodesk.com/en/docs/oauth/v2/reference/http/gettoken-POST/
 */
export async function issueToken(context: TokenContext<AutodeskConfig>): Promise<AccessToken> {
  const application = chooseApplication(context.settings.credentials, context.config);
  const now = context.now();
  const { response, body } = await post(context, application);
  if (!response.ok) {
    const { status, headers } = response;
    throw toTokenError({ status, headers, body, clientId: application.clientId, now });
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
