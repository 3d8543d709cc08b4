/** Processes that are killed as `kill -9` does it, at any of their calls, and the next ones go on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { DriveModel } from "../../../local/google/drive_model.ts";
import { createDriveEmulator } from "../../../local/google/emulator.ts";
import { addEndpoint, type Sql, withDatabase } from "../../support/database.ts";
import { loadServiceAccount } from "../../support/drive_sync.ts";
import { readTestStack } from "../../support/test_stack.ts";
import { createHistory } from "./history.ts";
import { type Death, type Gate, MOMENTS, openGate } from "./lethal_gate.ts";
import { createPlayground, type Playground } from "./playground.ts";
import { type Scope, SCOPES } from "./sequence.ts";
import {
  checkAlways,
  checkAtRest,
  checkExact,
  checkNothingLeft,
  readMachinery,
  readRows,
} from "./table.ts";

const WORKER = fileURLToPath(new URL("doomed_worker.ts", import.meta.url));
const SEED = 20261122;

/** What processes are killed at, and the last call of that kind that is one of a run for certain. */
const TARGETS = [
  { target: "commit", calls: 6 },
  { target: "database", calls: 14 },
  { target: "drive", calls: 14 },
] as const;

/** A death at every moment; the scopes together have every target at every moment. */
function deathsOf(scope: Scope): readonly Death[] {
  const turn = SCOPES.indexOf(scope);
  return MOMENTS.map((moment, round) => {
    const { target, calls } = TARGETS[(turn + round) % TARGETS.length] ?? TARGETS[0];
    const anyCall = fc.noBias(fc.integer({ min: 1, max: calls }));
    const [call = 1] = fc.sample(anyCall, { seed: SEED + 10 * turn + round, numRuns: 1 });
    return { target, call, moment };
  });
}

/** Starts a worker's process, which reaches Drive and the database through the gate alone. */
async function spawnWorker({ origin }: Gate, folder: string): Promise<Deno.ChildProcess> {
  const account = await loadServiceAccount();
  const stack = join(folder, "stack.json");
  await Deno.writeTextFile(stack, JSON.stringify({ ...readTestStack(), api_url: origin }));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER],
    env: {
      CONNECTOR_TEST_STACK: stack,
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
  const known = new Set<string>();
  const folder = await Deno.makeTempDir({ prefix: "file_connector_kill_" });
  const gate = await openGate(drive, readTestStack().api_url);
  try {
    for (const [round, death] of deathsOf(scope).entries()) {
      const worker = await spawnWorker(gate, folder);
      gate.let(worker, death);
      const { signal } = await worker.status;
      const what = `${JSON.stringify(death)} after ${JSON.stringify([...gate.calls])}`;
      assert.equal(signal, "SIGKILL", `round ${round} was over before its death: ${what}`);
      await gate.settle();
      await expireLease(sql, endpoint);
      const rows = await readRows(sql, endpoint);
      checkAlways(rows, await readMachinery(sql, endpoint), known, { history, exactAt: 0 });
      for (const { id, reason } of rows) if (reason === null) known.add(id);
      disturb(ground, round);
      history.note();
      await sql`select public.request_sync(${endpoint}, 'full')`;
    }
    const last = await spawnWorker(gate, folder);
    gate.let(last, null);
    assert.ok((await last.status).success);
    assert.deepEqual(gate.accepted, [], "what a dead process sent is refused");
    const machinery = await readMachinery(sql, endpoint);
    checkAtRest(machinery);
    checkNothingLeft(machinery);
    checkExact(await readRows(sql, endpoint), history.expected());
  } finally {
    await gate.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

for (const scope of SCOPES) {
  Deno.test(`processes killed again and again (${scope}) leave the table exact`, () =>
    withDatabase((sql) => playDeaths(scope, sql)));
}
