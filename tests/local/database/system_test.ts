import assert from "node:assert/strict";
import { hasSystemPostgres } from "../../../local/database.ts";
import { createTerminal } from "../../../local/terminal.ts";
import { waitFor } from "../../support/wait_for.ts";
import { withDatabase } from "./with_database.ts";

if (await hasSystemPostgres()) {
  Deno.test("an installed PostgreSQL serves with the real extensions it has", async () => {
    await withDatabase(async ({ database, sql }) => {
      const [server] = await sql<[{ own: string[]; version: number }]>`
        select current_setting('server_version_num')::int as version, (
          select array_agg(extname::text) from pg_extension
          where extname in ('pg_cron', 'pg_net', 'supabase_vault')
            and obj_description(oid, 'pg_extension') not like 'stand-in%'
        ) as own`;
      assert.ok(server.version >= 150_000);
      const own = server.own ?? [];
      const all = [...own, ...database.standIns].sort();
      assert.deepEqual(all, ["pg_cron", "pg_net", "supabase_vault"]);
      await sql`select cron.schedule('job', '* * * * *', 'select 1')`;
      if (!own.includes("pg_cron")) return;
      await waitFor("the launcher of the real pg_cron", async () => {
        const rows = await sql`
          select from pg_stat_activity where application_name like 'pg_cron%'
            or backend_type like 'pg_cron%'`;
        return rows.length > 0;
      });
    }, { server: "system" });
  });
} else {
  createTerminal().line(
    "No PostgreSQL of Debian's here: the test of the system server is left out",
  );
}
