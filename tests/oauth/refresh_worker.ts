/**
 * A worker in a process of its own: says that it is ready, waits for a word, and asks for the access
 * token of one endpoint. It is told at which moment to die, by a signal that it cannot catch.
 */
import { z } from "zod";
import { toSyncError } from "../../supabase/functions/_shared/errors.ts";
import { freshFetch } from "../../supabase/functions/_shared/http/fresh_fetch.ts";
import { createTestGrants, requestFor } from "./granted.ts";

const { endpointId, tokenUrl, death } = z.object({
  endpointId: z.string(),
  tokenUrl: z.string(),
  death: z.enum(["never", "before_asking", "before_storing"]),
}).parse(JSON.parse(Deno.args[0] ?? ""));

function say(message: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

async function die(): Promise<never> {
  Deno.kill(Deno.pid, "SIGKILL");
  return await new Promise<never>(() => {});
}

async function tokenFetch(...args: Parameters<typeof fetch>): Promise<Response> {
  if (death === "before_asking") return await die();
  const response = await freshFetch(...args);
  return death === "before_storing" ? await die() : response;
}

const { grants } = createTestGrants({ tokenFetch });
say("ready");
await Deno.stdin.read(new Uint8Array(16));
try {
  const { token, generation } = await grants.accessToken(requestFor(endpointId, tokenUrl));
  say({ token: token.reveal(), generation });
} catch (thrown) {
  say({ code: toSyncError(thrown).code });
}
Deno.exit(0);
