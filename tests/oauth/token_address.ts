/** A provider's token address that listens: it issues, counts, and fails as it is told. */
import { ConnectionReset } from "../../local/emulator/connection_reset.ts";
import { serveHttp } from "../../local/emulator/http_server.ts";
import { accessToken, LASTING_TOKEN, refreshToken } from "./issued.ts";

/** How the address answers instead of issuing tokens. */
export type Played = (() => Response | Promise<Response>) | null;

/** A token address that listens, and what it was asked. */
export interface TokenAddress {
  readonly url: string;
  /** The refresh tokens that were presented, in order. */
  readonly asked: string[];
  /** Answers so instead, as long as it is set. */
  play: Played;
  /** Waited for before each answer. */
  delay: () => Promise<unknown>;
  /** Seconds the next access tokens live. */
  lifetimeSeconds: number;
  stop(): Promise<void>;
}

const JSON_TYPE = { "content-type": "application/json" };

/** What Autodesk says of a refresh token that was used before. */
export const REFUSED = {
  error: "invalid_grant",
  error_description: "The refresh token is invalid or expired.",
};

/** Runs a test with an address; where it `rotates`, each refresh token is good for one use. */
export async function withAddress(
  { rotates }: { readonly rotates: boolean },
  test: (address: TokenAddress) => Promise<void>,
): Promise<void> {
  const address = await startTokenAddress(rotates);
  try {
    await test(address);
  } finally {
    await address.stop();
  }
}

async function startTokenAddress(rotates: boolean): Promise<TokenAddress> {
  const asked: string[] = [];
  let generation = 1;
  const currentToken = () => rotates ? refreshToken(generation) : LASTING_TOKEN;
  const server = await serveHttp(async (request) => {
    const form = new URLSearchParams(await request.text());
    const presented = form.get("refresh_token") ?? "";
    asked.push(presented);
    await address.delay();
    if (address.play !== null) return await address.play();
    if (presented !== currentToken()) return Response.json(REFUSED, { status: 400 });
    generation += 1;
    return new Response(
      JSON.stringify({
        access_token: accessToken(generation),
        ...(rotates ? { refresh_token: currentToken() } : {}),
        token_type: "Bearer",
        expires_in: address.lifetimeSeconds,
      }),
      { headers: JSON_TYPE },
    );
  }, { port: 0, hostname: "127.0.0.1" });
  const address: TokenAddress = {
    url: `${server.origin}/token`,
    asked,
    play: null,
    delay: () => Promise.resolve(),
    lifetimeSeconds: 3_599,
    stop: server.stop,
  };
  return address;
}

/** Breaks the connection before any answer. */
export function breakConnection(): never {
  throw new ConnectionReset();
}
