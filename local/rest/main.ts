/**
 * The REST stand-in as a process of its own. Settings come from the environment: REST_DB_URL,
 * REST_PORT (0 takes a free one) and REST_KEYS, `{"publishable": …, "secret": …, "jwks": {"keys": […]}}`.
 * When it answers, it writes one line: `{"port":54321}`.
 */
import { z } from "zod";
import { createTerminal } from "../terminal.ts";
import { createRestHandler } from "./handler.ts";

const settingsSchema = z.object({
  REST_DB_URL: z.string().regex(/^postgres(ql)?:\/\//),
  REST_PORT: z.coerce.number().int().min(0).max(65_535),
  REST_KEYS: z.string().transform((text, context) => {
    try {
      return keysSchema.parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: "custom", message: "is not JSON of publishable, secret and jwks" });
      return z.NEVER;
    }
  }),
});
const keysSchema = z.object({
  publishable: z.string().min(1),
  secret: z.string().min(1),
  jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }),
});

async function main(): Promise<number> {
  const terminal = createTerminal();
  const settings = settingsSchema.safeParse(Deno.env.toObject());
  if (!settings.success) {
    const [issue] = settings.error.issues;
    terminal.error(`Cannot start the REST stand-in: ${issue?.path.join(".")} ${issue?.message}`);
    return 2;
  }
  const { REST_DB_URL, REST_PORT, REST_KEYS } = settings.data;
  const handler = createRestHandler({
    databaseUrl: REST_DB_URL,
    keys: REST_KEYS,
    onError: (cause) =>
      terminal.error(`rest_failed ${cause instanceof Error ? cause.stack : cause}`),
  });
  await handler.ready();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: REST_PORT,
    onListen: ({ port }) => terminal.line(JSON.stringify({ port })),
  }, handler.fetch);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void server.shutdown());
  }
  await server.finished;
  await handler.close();
  return 0;
}

if (import.meta.main) Deno.exit(await main());
