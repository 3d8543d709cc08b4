import { z } from "zod";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type {
  AccessToken,
  TokenContext,
} from "../../supabase/functions/_shared/providers/types.ts";
import type { AcmeFilesConfig } from "./config.ts";
import { classifyGrant } from "./failures.ts";
import { credentialsOf } from "./settings.ts";

const LONGEST_WAIT_MS = 20_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
  scope: z.string().min(1).optional(),
});

/** Obtains an access token for the application itself (client credentials, RFC 6749, 4.4). */
export async function issueToken(context: TokenContext<AcmeFilesConfig>): Promise<AccessToken> {
  const now = context.now();
  const { status, headers, body } = await post(context);
  if (status >= 400) throw classifyGrant({ status, headers, body, request: "refresh", now });
  const answer = tokenAnswer.safeParse(body);
  if (!answer.success) {
    const message = "Cannot read the answer of Acme Files' token service; it will be tried again";
    throw new SyncError("response_invalid", message, { cause: answer.error });
  }
  return {
    access_token: answer.data.access_token,
    token_type: "Bearer",
    scope: answer.data.scope ?? null,
    expires_at: new Date(now.getTime() + answer.data.expires_in * 1000),
  };
}

async function post({ settings, fetch, signal }: TokenContext<AcmeFilesConfig>) {
  const { clientId, clientSecret } = credentialsOf(settings);
  try {
    const response = await fetch(settings.tokenUrl, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: clientId,
        client_secret: clientSecret.reveal(),
      }),
      // The secret goes to the configured address and nowhere else.
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_WAIT_MS)]),
    });
    const { status, headers } = response;
    return { status, headers, body: parseJson(await response.text()) };
  } catch (cause) {
    // The caller's own abort is not a failure of the provider's.
    signal.throwIfAborted();
    const message = "Acme Files' token service could not be reached; it will be tried again";
    throw new SyncError("unavailable", message, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page instead of an answer: the status says enough.
    return null;
  }
}
