import assert from "node:assert/strict";
import { join } from "node:path";
import { readStackFile, removeStackFile, writeStackFile } from "../../local/stack_file.ts";

const CONTENT = {
  api_url: "http://127.0.0.1:54321",
  functions_url: "http://127.0.0.1:54321/functions/v1",
  rest_url: "http://127.0.0.1:54321/rest/v1",
  db_url: "postgresql://supabase_admin:postgres@127.0.0.1:54322/postgres",
  publishable_key: "sb_publishable_x",
  secret_key: "sb_secret_x",
  users: [{ id: "11111111-1111-4111-8111-111111111111", email: "ada@example.com" }],
  pid: Deno.pid,
  stand_ins: ["rest"],
};

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await test(folder).finally(() => Deno.remove(folder, { recursive: true }));
}

Deno.test("stack.json is for its owner's eyes alone, and is gone when it is removed", async () => {
  await withFolder(async (folder) => {
    await writeStackFile(folder, CONTENT);
    assert.equal(((await Deno.stat(join(folder, "stack.json"))).mode ?? 0) & 0o777, 0o600);
    assert.deepEqual(await readStackFile(folder), CONTENT);
    await removeStackFile(folder);
    await removeStackFile(folder);
    assert.equal(await readStackFile(folder), null);
  });
});

Deno.test("readStackFile() does not believe the file of a process that was killed, nor a damaged one", async () => {
  await withFolder(async (folder) => {
    const child = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" })
      .spawn();
    await child.status;
    await writeStackFile(folder, { ...CONTENT, pid: child.pid });
    assert.equal(await readStackFile(folder), null);
    await Deno.writeTextFile(join(folder, "stack.json"), "{");
    assert.equal(await readStackFile(folder), null);
  });
});
