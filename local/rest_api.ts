import type { Database } from "./database.ts";
import { oneLine } from "./failure.ts";
import type { Handler } from "./gateway/gateway.ts";
import type { StackKeys } from "./keys.ts";
import { createRestHandler } from "./rest/handler.ts";

/** The REST API of a stack. */
export interface RestApi {
  /** Answers a request to `/rest/v1/…`. */
  readonly handler: Handler;
  /** Which part of it is a stand-in. */
  readonly standIns: readonly string[];
  stop(): Promise<void>;
}

/** Starts the REST API over `database`, in this process: one hop less for every row. */
export async function startRest(
  database: Database,
  keys: StackKeys,
  log: (line: string) => void,
): Promise<RestApi> {
  const rest = createRestHandler({
    databaseUrl: database.authenticatorUrl ?? database.superuserUrl,
    keys: {
      publishable: keys.publishableKey,
      secret: keys.secretKey,
      jwks: { keys: [...keys.jwks.keys] },
    },
    onError: (cause) => log(`REST: ${oneLine(cause)}`),
  });
  try {
    await rest.ready();
  } catch (cause) {
    await rest.close();
    throw cause;
  }
  return { handler: rest.fetch, standIns: ["rest"], stop: rest.close };
}
