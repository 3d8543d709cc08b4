import assert from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { parseSchedule } from "../../../local/worker/cron_schedule.ts";
import { waitFor } from "../../support/wait_for.ts";
import { connected, sqlStateOf, withDatabase, withWorker } from "./with_database.ts";

Deno.test("the stand-in for pg_cron runs jobs as their owner and records how they went", async () => {
  await withWorker(async ({ sql }) => {
    await sql`create table public.runs (who text, search_path text)`;
    await sql`select cron.schedule('good', '1 second',
      $$select 1; insert into public.runs values (current_user, current_setting('search_path'))$$)`;
    await sql`select cron.schedule('bad', '1 second', 'select * from nowhere')`;
    const runs = await waitFor("a run of each job", async () => {
      const rows = await sql`
        select distinct on (jobname) jobname, status, return_message, job_pid, end_time
        from cron.job_run_details join cron.job using (jobid)
        where status in ('succeeded', 'failed') order by jobname`;
      return rows.length === 2 && rows;
    });
    assert.equal(runs[0]?.["status"], "failed");
    assert.match(runs[0]?.["return_message"], /^ERROR: {2}relation "nowhere" does not exist/);
    assert.equal(runs[1]?.["status"], "succeeded");
    assert.equal(runs[1]?.["return_message"], "INSERT 0 1");
    assert.ok(runs[1]?.["job_pid"] > 0);
    const [run] = await sql`select who, search_path from public.runs`;
    assert.deepEqual({ ...run }, { who: "postgres", search_path: '"$user", public, extensions' });
  });
});

Deno.test("the stand-in for pg_cron runs one instance of a job at a time", async () => {
  await withWorker(async ({ sql }) => {
    await sql`create table public.gate ()`;
    await sql`create table public.others as select 0 as runs`;
    await sql.begin(async (transaction) => {
      await transaction`lock table public.gate in access exclusive mode`;
      await sql`select cron.schedule('held', '1 second', 'select from public.gate')`;
      await sql`select cron.schedule('free', '1 second', 'update public.others set runs = runs + 1')`;
      await waitFor("runs of the other job", async () => {
        const [row] = await sql`select runs from public.others`;
        return row?.["runs"] >= 2;
      });
      const [row] = await sql`
        select count(*)::int as running from cron.job_run_details
        join cron.job using (jobid) where jobname = 'held'`;
      assert.equal(row?.["running"], 1);
    });
  });
});

Deno.test("the stand-in for pg_cron closes the runs of a worker that was killed", async () => {
  await withDatabase(async ({ database, sql }) => {
    const first = await database.startWorker();
    await sql`select cron.schedule('long', '1 second', 'select pg_sleep(60)')`;
    await waitFor("the run", async () => {
      return (await sql`select from cron.job_run_details where status = 'running'`).length === 1;
    });
    first?.signal("SIGKILL");
    await first?.exited;
    await sql`select cron.unschedule('long')`;
    const second = await database.startWorker();
    try {
      const row = await waitFor("the closed run", async () => {
        const [row] = await sql`select return_message from cron.job_run_details
          where status = 'failed'`;
        return row;
      });
      assert.equal(row["return_message"], "server restarted");
    } finally {
      await second?.stop();
    }
  });
});

Deno.test("the functions of the stand-in for pg_cron behave as pg_cron's", async (t) => {
  await withDatabase(async ({ database, sql }) => {
    await t.step("a schedule is checked", async () => {
      for (const good of GOOD_SCHEDULES) {
        await sql`select cron.schedule('job', ${good}, 'select 1')`;
      }
      for (const bad of BAD_SCHEDULES) {
        const code = await sqlStateOf(sql`select cron.schedule('job', ${bad}, 'select 1')`);
        assert.equal(code, "22023", bad);
      }
    });

    await t.step("a name is taken over by its owner's next schedule()", async () => {
      const rows = await sql`select jobid, schedule from cron.job where jobname = 'job'`;
      assert.equal(rows.length, 1);
      assert.equal(rows[0]?.["schedule"], GOOD_SCHEDULES.at(-1));
    });

    await t.step("unschedule() raises when there is no such job", async () => {
      await sql`select cron.unschedule('job')`;
      assert.equal(await sqlStateOf(sql`select cron.unschedule('job')`), "P0001");
      assert.equal(await sqlStateOf(sql`select cron.unschedule(12345)`), "P0001");
    });

    await t.step("alter_job() changes what is given", async () => {
      const [row] = await sql<[{ id: string }]>`
        select cron.schedule('0 0 * * *', 'select 1')::text as id`;
      await sql`select cron.alter_job(${row.id}, schedule := '5 seconds', active := false)`;
      const [job] = await sql`
        select schedule, command, active from cron.job where jobid = ${row.id}`;
      assert.deepEqual({ ...job }, { schedule: "5 seconds", command: "select 1", active: false });
    });

    await t.step(
      "a job is its owner's: not seen by others, written by functions alone",
      async () => {
        await connected(database.superuserUrl, async (superuser) => {
          await superuser`grant usage on schema cron to authenticated`;
          await superuser.begin(async (transaction) => {
            await transaction`set local role authenticated`;
            await transaction`select cron.schedule('theirs', '* * * * *', 'select 1')`;
            const seen = await transaction`select jobname, username from cron.job`;
            assert.deepEqual({ ...seen[0] }, { jobname: "theirs", username: "authenticated" });
            assert.equal(seen.length, 1);
          });
        });
        assert.equal(await sqlStateOf(sql`select cron.unschedule('theirs')`), "P0001");
        assert.equal(await sqlStateOf(sql`delete from cron.job`), "42501");
        const forOther = sql`select cron.schedule_in_database(
        'x', '* * * * *', 'select 1', 'postgres', username := 'supabase_admin')`;
        assert.equal(await sqlStateOf(forOther), "42501");
      },
    );
  });
});

const GOOD_SCHEDULES = [
  "* * * * *",
  "*/5 * * * *",
  "0,30 9-17 1-15/2 jan-mar,12 mon-fri",
  "0 0 $ * 7",
  "@hourly",
  "1 second",
  "59 seconds",
];
const BAD_SCHEDULES = [
  "",
  "* * * *",
  "60 * * * *",
  "* 24 * * *",
  "* * 0 * *",
  "* * * foo *",
  "*/0 * * * *",
  "5-1 * * * *",
  "0 seconds",
  "60 seconds",
  "30 seconds * * * *",
];

Deno.test("parseSchedule() reads every schedule that the database lets pass", () => {
  for (const schedule of GOOD_SCHEDULES) assert.ok(parseSchedule(schedule));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 23 }), (m, h) => {
      const schedule = parseSchedule(`${m} ${h} * * *`);
      assert.ok(schedule.type === "cron");
      assert.ok(schedule.matches(new Date(Date.UTC(2026, 5, 1, h, m))));
      assert.ok(!schedule.matches(new Date(Date.UTC(2026, 5, 1, h, m + 1))));
    }),
  );
});
