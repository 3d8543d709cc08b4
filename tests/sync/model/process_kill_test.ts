import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { DriveModel } from "../../../local/google/drive_model.ts";
import { createDriveEmulator } from "../../../local/google/emulator.ts";
import { serveHttp } from "../../../local/emulator/http_server.ts";
import type { ServiceAccountJson } from "../../../local/google/service_account.ts";
import { addEndpoint, type Sql, withDatabase } from "../../support/database.ts";
import { loadServiceAccount } from "../../support/drive_sync.ts";
import { createHistory } from "./history.ts";
import { createPlayground, type Playground } from "./playground.ts";
import type { Scope } from "./sequence.ts";
import { checkAlways, checkAtRest, checkExact, readMachinery, readRows } from "./table.ts";

const WORKER = fileURLToPath(new URL("doomed_worker.ts", import.meta.url));

/** At which call to Drive a process dies; each goes on where the one before was. */
const DEATHS = [2, 5, 9, 14];

/** A worker's process. */
function spawnWorker(origin: string, account: ServiceAccountJson): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER],
    env: {
      CONNECTOR_GOOGLE_API_URL: origin,
      CONNECTOR_GOOGLE_TOKEN_URL: `${origin}/token`,
      CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify(account),
    },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

/** Forty files in folders of folders. */
function fill(ground: Playground): void {
  for (let n = 0; n < 12; n++) ground.act({ do: "create_folder", in: n, name: `folder ${n}` });
  for (let n = 0; n < 40; n++) {
    ground.act({ do: "create_file", in: n, name: `${n}.pdf`, size: String(n) });
  }
}

/** What people do between two deaths. */
function disturb(ground: Playground, round: number): void {
  ground.act({ do: "rename", item: 3 + round, name: `renamed ${round}` });
  ground.act({ do: "create_file", in: round, name: `late ${round}.txt`, size: "7" });
  ground.act({ do: "trash", item: 20 + 3 * round });
  ground.act({ do: "move", item: 30 + 2 * round, in: 4 + round });
}

async function expireLease(sql: Sql, endpoint: string): Promise<void> {
  await sql`
    update connector.endpoint_states set lease_expires_at = now() - interval '1 second'
    where endpoint_id = ${endpoint} and lease_token is not null`;
}

async function playDeaths(scope: Scope, sql: Sql): Promise<void> {
  const account = await loadServiceAccount();
  const drive = createDriveEmulator({ model: new DriveModel(), serviceAccounts: [account] });
  const ground = createPlayground(drive.model, scope, account.client_email);
  const history = createHistory(ground);
  fill(ground);
  history.note();
  const endpoint = await addEndpoint(sql, {
    max_files_per_sync: null,
    endpoint_config: sql.json(JSON.parse(JSON.stringify(ground.config))),
  });
  let onCall = () => {};
  const server = await serveHttp(async (request) => {
    onCall();
    return await drive.fetch(request);
  }, { port: 0, hostname: "127.0.0.1" });
  try {
    for (const [round, death] of DEATHS.entries()) {
      const worker = spawnWorker(server.origin, account);
      let calls = 0;
      onCall = () => {
        if (++calls === death) worker.kill("SIGKILL");
      };
      const { signal } = await worker.status;
      assert.equal(signal, "SIGKILL", `round ${round} was over after ${calls} calls`);
      await expireLease(sql, endpoint);
      checkAlways(await readRows(sql, endpoint), await readMachinery(sql, endpoint), new Set(), {
        history,
        exactAt: 0,
      });
      disturb(ground, round);
      history.note();
      await sql`select public.request_sync(${endpoint}, 'full')`;
    }
    onCall = () => {};
    assert.ok((await spawnWorker(server.origin, account).status).success);
    const machinery = await readMachinery(sql, endpoint);
    assert.equal(machinery.status, "completed");
    checkAtRest(machinery);
    checkExact(await readRows(sql, endpoint), history.expected());
  } finally {
    await server.stop();
  }
}

for (const scope of ["drive", "my_folder", "account"] as const) {
  Deno.test(`processes killed again and again (${scope}) leave the table exact`, () =>
    withDatabase((sql) => playDeaths(scope, sql)));
}
