/** `deno task endpoint:list`: whose endpoints it shows, and how. */
import assert from "node:assert/strict";
import { runEndpointList } from "../../scripts/endpoint_list.ts";
import { projectFlags, runCommand, userFlags } from "../support/command_run.ts";
import { ADA, addEndpoint, GRACE, withDatabase } from "../support/database.ts";
import { readTestStack } from "../support/test_stack.ts";

Deno.test("endpoint:list shows all endpoints to a key, and a user's own to a token", async () => {
  await withDatabase(async (sql) => {
    const plans = await addEndpoint(sql, { name: "Plans" });
    const models = await addEndpoint(sql, { name: "Models", user_id: GRACE, enabled: false });
    await sql`update public.endpoints set last_sync_status = 'failed',
      last_error_code = 'rate_limited', last_error_message = 'later' where id = ${plans}`;
    const all = await runCommand(runEndpointList, projectFlags());
    assert.equal(all.status, 0, all.errors);
    const [head = "", first = "", second = ""] = all.output.split("\n");
    assert.match(head, /^id +name +type +status +last sync +files +size +token +error$/);
    assert.ok(first.startsWith(`${models}  Models  google_drive  disabled`), first);
    assert.match(second, /Plans +google_drive +failed.* 0 B +No Token +rate_limited: later$/);
    const own = await runCommand(runEndpointList, [...await userFlags(ADA), "--json"]);
    const rows: { readonly id: string }[] = JSON.parse(own.output);
    assert.deepEqual(rows.map(({ id }) => id), [plans]);
  });
});

Deno.test("endpoint:list says how many it leaves out, and what to do where there are none", async () => {
  await withDatabase(async (sql) => {
    const none = await runCommand(runEndpointList, projectFlags());
    assert.match(none.output, /deno task endpoint:add/);
    for (const name of ["a", "b", "c"]) await addEndpoint(sql, { name });
    const some = await runCommand(runEndpointList, [...projectFlags(), "--limit", "1"]);
    assert.match(some.output, /… and 2 more/);
  });
});

Deno.test("endpoint:list colours states on a terminal alone, and prints no control characters of a name", async () => {
  await withDatabase(async (sql) => {
    await addEndpoint(sql, { name: "a\x1b[2Jb\nc", last_sync_status: "failed" });
    const plain = await runCommand(runEndpointList, projectFlags());
    assert.ok(!plain.output.includes("\x1b"));
    const lines = plain.output.trimEnd().split("\n");
    assert.equal(lines.length, 2);
    const shown = await runCommand(runEndpointList, projectFlags(), { isInteractive: true });
    assert.ok(shown.output.includes("\x1b[31mfailed\x1b[0m"));
    assert.ok(!shown.output.includes("\x1b[2J"));
  });
});

Deno.test("endpoint:list ends with 2 where it cannot ask, and says why", async () => {
  const [, url = "", , key = ""] = projectFlags();
  const attempts = [
    [["--url", "http://127.0.0.1:9", "--key", key], /Cannot reach http:\/\/127\.0\.0\.1:9/],
    [["--url", url, "--key", "sb_secret_wrong"], /does not know the caller/],
    [["--url", url, "--token", "no.jwt"], /--token as it must be the access token/],
    [["--limit", "0", ...projectFlags()], /--limit/],
    [[], /Cannot find the project/],
  ] as const;
  for (const [args, message] of attempts) {
    const { status, output, errors } = await runCommand(runEndpointList, args);
    assert.deepEqual([status, output], [2, ""], errors);
    assert.match(errors, message);
    assert.ok(!errors.includes(readTestStack().secret_key));
  }
  const [, , , token = ""] = await userFlags(ADA);
  const keyless = await runCommand(runEndpointList, ["--url", url, "--token", token]);
  assert.deepEqual([keyless.status, keyless.asked], [2, []]);
  assert.match(keyless.errors, /give --publishable-key/);
  // A key that was found with another address is not the one of this project.
  const env = { SUPABASE_URL: "https://env.supabase.co", SUPABASE_PUBLISHABLE_KEY: "of-env" };
  const other = await runCommand(runEndpointList, ["--url", url, "--token", token], { env });
  assert.deepEqual([other.status, other.asked], [2, []]);
  const elsewhere = await runCommand(runEndpointList, projectFlags(), {
    respond: () => Response.json({ code: "PGRST205", message: "no table" }, { status: 404 }),
  });
  assert.equal(elsewhere.status, 2);
  assert.match(elsewhere.errors, /apply the migrations first/);
});
