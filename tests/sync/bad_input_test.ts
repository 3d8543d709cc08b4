import assert from "node:assert/strict";
import type { Fault } from "../../local/google/faults.ts";
import { createServiceAccount } from "../../local/google/service_account.ts";
import {
  type DriveSync,
  filesOf,
  OWNER,
  pathsOf,
  settingsFor,
  stateOf,
  withDriveSync,
} from "../support/drive_sync.ts";

/** A folder with one file, shared with the service account unless told otherwise. */
function folderOfOne({ drive: { model }, account }: DriveSync, isShared = true): string {
  const folder = model.createFolder({ name: "Folder", parent: model.account(OWNER).root.id });
  model.createFile({ name: "file.txt", parent: folder.id });
  if (isShared) model.share(folder.id, account);
  return folder.id;
}

interface Failure {
  readonly status: string;
  readonly code: string;
  /** Found in the sentence for the owner. */
  readonly says: RegExp;
}

async function assertFailed({ sql }: DriveSync, endpoint: string, failure: Failure): Promise<void> {
  const state = await stateOf(sql, endpoint);
  assert.equal(state.code, failure.code);
  assert.equal(state.status, failure.status);
  assert.match(state.message ?? "", failure.says);
  assert.deepEqual(
    [state.run_status, state.run_code, state.run_message],
    [failure.status, failure.code, state.message],
  );
}

/** Syncs the bad endpoint beside a good one, which must be completed. */
async function syncBeside(
  world: DriveSync,
  config: Record<string, unknown>,
  failure: Failure,
): Promise<void> {
  const bad = await world.add(config);
  const good = await world.add({ folder_id: folderOfOne(world) });
  await world.sync();
  await assertFailed(world, bad, failure);
  assert.equal((await stateOf(world.sql, good)).status, "completed");
  assert.deepEqual(await pathsOf(world.sql, good), ["/file.txt"]);
}

Deno.test("a folder that does not exist needs attention", () =>
  withDriveSync((world) =>
    syncBeside(world, { folder_id: "1aBcDeFgHiJkLmNoPqRsTuVwXyZ" }, {
      status: "needs_attention",
      code: "scope_not_found",
      says: /folder/i,
    })
  ));

Deno.test("a folder that is not shared with the account needs attention", () =>
  withDriveSync((world) =>
    syncBeside(world, { folder_id: folderOfOne(world, false) }, {
      status: "needs_attention",
      code: "scope_not_found",
      says: /share/i,
    })
  ));

Deno.test("a shared drive the account is no member of needs attention", () =>
  withDriveSync(async (world) => {
    const { id } = world.drive.model.createDrive({ name: "Closed", members: [OWNER] });
    await syncBeside(world, { drive_id: id }, {
      status: "needs_attention",
      code: "scope_not_found",
      says: /drive/i,
    });
  }));

Deno.test("a configuration with a wrong field needs attention and names the field", () =>
  withDriveSync((world) =>
    syncBeside(world, { folder_id: 17 }, {
      status: "needs_attention",
      code: "config_invalid",
      says: /folder_id/,
    })
  ));

Deno.test("a user the service account may not act for needs attention", () =>
  withDriveSync((world) =>
    syncBeside(world, { impersonate: "someone@example.com" }, {
      status: "needs_attention",
      code: "credentials_invalid",
      says: /delegation/i,
    })
  ));

Deno.test("a service account whose key Google does not know needs attention", () =>
  withDriveSync(async (world) => {
    const endpoint = await world.add({ folder_id: folderOfOne(world) });
    const { json } = await createServiceAccount({ name: "stranger" });
    await world.sync({ settings: settingsFor(json) });
    await assertFailed(world, endpoint, {
      status: "needs_attention",
      code: "credentials_invalid",
      says: /service account|key/i,
    });
  }));

const GARBAGE: readonly Fault[] = [
  { type: "garbage" },
  { type: "html" },
  { type: "truncated" },
];
for (const fault of GARBAGE) {
  Deno.test(`a provider that answers ${fault.type} fails the run; it recovers by itself`, () =>
    withDriveSync(async (world) => {
      const folder = folderOfOne(world);
      const bad = await world.add({ folder_id: folder });
      const good = await world.add({ folder_id: folderOfOne(world) });
      world.drive.control.addFault({ fault, times: null, path: folder });
      await world.sync();
      await assertFailed(world, bad, {
        status: "failed",
        code: "response_invalid",
        says: /answer/,
      });
      assert.equal((await stateOf(world.sql, good)).status, "completed");

      world.drive.control.clearFaults();
      await world.sync();
      const state = await stateOf(world.sql, bad);
      assert.deepEqual([state.status, state.code, state.message], ["completed", null, null]);
      assert.equal((await filesOf(world.sql, bad)).length, 1);
    }));
}

const PASSING: readonly Fault[] = [
  { type: "status", status: 500 },
  { type: "status", status: 503 },
  { type: "status", status: 429, retryAfterSeconds: 1 },
  { type: "status", status: 403, reason: "userRateLimitExceeded" },
  { type: "reset" },
  { type: "html", status: 502 },
];
for (const fault of PASSING) {
  Deno.test(`two answers of ${JSON.stringify(fault)} are waited out within the slice`, () =>
    withDriveSync(async (world) => {
      const endpoint = await world.add({ folder_id: folderOfOne(world) });
      world.drive.control.addFault({ fault, times: 2, method: "files.list" });
      await world.sync();
      const state = await stateOf(world.sql, endpoint);
      assert.equal(state.status, "completed");
      assert.equal((await filesOf(world.sql, endpoint)).length, 1);
    }));
}

Deno.test("a wait longer than the slice is kept: the endpoint is due when the provider said", () =>
  withDriveSync(async (world) => {
    const endpoint = await world.add({ folder_id: folderOfOne(world) });
    const fault: Fault = { type: "status", status: 429, retryAfterSeconds: 600 };
    world.drive.control.addFault({ fault, times: null });
    await world.sync();
    await assertFailed(world, endpoint, { status: "failed", code: "rate_limited", says: /fewer/ });
    const [row] = await world.sql`
      select next_run_at > now() + interval '590 seconds' as waits from connector.endpoint_states`;
    assert.equal(row?.waits, true);
  }));

Deno.test("no secret and no raw answer of the provider is in what an owner can read", () =>
  withDriveSync(async (world) => {
    const endpoint = await world.add({ folder_id: folderOfOne(world) });
    world.drive.control.addFault({ fault: { type: "html" }, times: null });
    await world.sync();
    const [row] = await world.sql`
      select (select to_jsonb(e) from public.endpoints as e where e.id = ${endpoint})::text
        || (select to_jsonb(l) from public.sync_logs as l where l.endpoint_id = ${endpoint})::text as text`;
    assert.doesNotMatch(row?.text, /<html|ya29|Bearer|PRIVATE KEY/i);
    const logged = JSON.stringify(world.log.entries);
    assert.doesNotMatch(logged, /ya29|PRIVATE KEY/i);
  }));
