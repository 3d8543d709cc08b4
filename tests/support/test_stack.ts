/**
 * Where the test run's database and REST interface are. `deno task test` boots them and names a JSON
 * file in CONNECTOR_TEST_STACK.
 */
import { z } from "zod";

const TestStack = z.object({
  /** Postgres as superuser. */
  superuser_url: z.string(),
  /** Postgres as the role that owns the migrations. */
  postgres_url: z.string(),
  /** Base of the Data API's origin, as in `createClient(api_url, key)`. */
  api_url: z.string(),
  publishable_key: z.string(),
  secret_key: z.string(),
  /** The private key (JWK, ES256) that signs users' tokens. */
  signing_key: z.looseObject({ kid: z.string(), kty: z.literal("EC"), d: z.string() }),
  /** Which parts are stand-ins: pg_cron, pg_net, supabase_vault, rest. */
  stand_ins: z.array(z.string()),
});

/** The coordinates of the test run's database and REST interface. */
export type TestStack = z.infer<typeof TestStack>;

/** Reads the coordinates; says how to get them when there are none. */
export function readTestStack(): TestStack {
  const path = Deno.env.get("CONNECTOR_TEST_STACK");
  if (path === undefined) {
    throw new Error(
      "Cannot run this test alone: CONNECTOR_TEST_STACK is not set. Run: npx deno task test <file>",
    );
  }
  return TestStack.parse(JSON.parse(Deno.readTextFileSync(path)));
}
