/**
 * The whole chain on the stack of `supabase start`. Not part of `deno task test`, as it needs
 * Docker: `scripts/test_supabase_start.ts` boots that stack and runs this file.
 */
import postgres from "postgres";
import {
  expectFirstFiles,
  expectHealth,
  expectNewFile,
  expectPrivacy,
  expectScheduler,
} from "./chain.ts";
import { readOtherStack } from "./other_stack.ts";

const ADA = "11111111-1111-4111-8111-111111111111";
const GRACE = "22222222-2222-4222-8222-222222222222";

Deno.test("the Supabase CLI's own stack syncs a folder by way of its scheduler", async (t) => {
  const stack = readOtherStack();
  if (stack === null) throw new Error("Cannot run: CONNECTOR_E2E_URL is not set");
  const sql = postgres(stack.dbUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`
      insert into public.endpoints
        (name, endpoint_type, project_id, user_id, endpoint_config, interval_minutes)
      values
        ('end to end', 'google_drive', 'e2e', ${ADA},
         ${sql.json({ folder_id: stack.folderId })}, 1)`;
    await t.step("the folder's files are in public.files", () => expectFirstFiles(sql));
    await t.step("it was the scheduler that called", () => expectScheduler(sql));
    await t.step(
      "health is 200 and says the last tick",
      () => expectHealth(`${stack.apiUrl}/functions/v1`),
    );
    await t.step("a new file appears within two ticks", () => expectNewFile(sql, stack.folder));
    await t.step("another user sees none of it", () => expectPrivacy(sql, ADA, GRACE, 3));
  } finally {
    await sql.end({ timeout: 2 });
  }
});
