import assert from "node:assert/strict";
import { createAdminClient, createUserClient } from "../../supabase/functions/_shared/db/client.ts";
import {
  type BegunConsent,
  type ChangesCommit,
  createConnectorDb,
  type SealedGrant,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { createTimedFetch } from "../../supabase/functions/_shared/http/timed_fetch.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { API_URL, emptyStatus, PUBLISHABLE_KEY, SECRET_KEY } from "../support/function_fakes.ts";

const FILE = {
  external_file_id: "f1",
  external_parent_id: null,
  file_name: "a.txt",
  file_link: "https://example.com/f1",
  file_size: "1",
  file_type: "txt",
  mime_type: "text/plain",
  external_created_at: null,
  external_updated_at: null,
  file_metadata: {},
};
const LEASE = { endpoint_id: "e1", lease_token: "l1" };

/** A REST server of one answer, which keeps what it was asked. */
function serving(respond: () => Response | Promise<Response>) {
  const requests: Request[] = [];
  const fetch = async (input: URL | RequestInfo, init?: RequestInit) => {
    requests.push(new Request(input, init));
    return await respond();
  };
  const client = createAdminClient({ url: API_URL, fetch }, new Secret(SECRET_KEY));
  return { requests, fetch, db: createConnectorDb(client) };
}

async function failureOf(respond: () => Response | Promise<Response>): Promise<SyncError> {
  try {
    await serving(respond).db.renewLease(LEASE);
  } catch (error) {
    assert.ok(error instanceof SyncError, String(error));
    return error;
  }
  throw new Error("Cannot find a failure: the call succeeded");
}

function postgrestError(status: number, code: string): () => Response {
  const body = { code, message: "raised in the database", details: "a detail", hint: null };
  return () => Response.json(body, { status });
}

Deno.test("a call posts its arguments by name to the function, as the secret key", async () => {
  const { requests, db } = serving(() => Response.json({ claims: [], more_due: false }));
  assert.deepEqual(await db.claim({ maxConcurrent: 10, batch: 5 }), {
    claims: [],
    more_due: false,
  });
  const [request] = requests;
  assert.ok(request);
  assert.equal(request.method, "POST");
  assert.equal(request.url, `${API_URL}/rest/v1/rpc/connector_claim`);
  assert.equal(request.headers.get("apikey"), SECRET_KEY);
  assert.deepEqual(await request.json(), {
    p_max_concurrent: 10,
    p_batch: 5,
    p_endpoint_type: null,
  });
});

Deno.test("only the lease travels where a whole claim is handed in", async () => {
  const { requests, db } = serving(() => Response.json(1));
  const claim = { ...LEASE, endpoint_type: "google_drive", is_heavy: false };
  assert.equal(await db.release([claim], "function_unavailable", "why"), 1);
  assert.deepEqual(await requests[0]?.json(), {
    p_leases: [LEASE],
    p_code: "function_unavailable",
    p_message: "why",
  });
});

Deno.test("every method calls its own database function", async () => {
  const { requests, db } = serving(() => Response.json("of no known form"));
  const calls: (() => Promise<unknown>)[] = [
    () => db.beginSlice([LEASE]),
    () =>
      db.startListing(LEASE, {
        roots: [],
        seeds: [],
        walk: [],
        feeds: [],
        is_tree: false,
        sweep: "everything",
        folders_per_task: 50,
        provider_calls: 1,
      }),
    () => db.commitChanges(LEASE, CHANGES),
    () => db.absentItems(LEASE, 50),
    () =>
      db.noteAbsences(LEASE, {
        gone: [],
        present_files: [],
        present_folders: [],
        unknown: [],
        filtered: [],
        provider_calls: 1,
      }),
    () => db.sweep(LEASE),
    () => db.takeCalls({ bucket: "b", unitsPerMinute: 60 }, 5),
    () => db.openTasks(LEASE, 0, 50),
    () => db.finishSlice(LEASE, { type: "continue", provider_calls: 0, next_cron_at: null }),
    () => db.ownedEndpoint("e1", null),
    () => db.takeConsent("c1"),
    () => db.storeGrant(GRANT),
    () => db.disconnect("e1", null),
    () => db.unplannedSchedules(10),
    () => db.planSchedules([]),
    () => db.health(),
    () => db.syncStatus(10),
    () => db.quotas(10),
  ];
  for (const call of calls) await assert.rejects(call(), { code: "internal" });
  assert.deepEqual(requests.map(({ url }) => url.split("/").at(-1)), [
    "connector_begin_slice",
    "connector_start_listing",
    "connector_commit_changes",
    "connector_absent_items",
    "connector_note_absences",
    "connector_sweep",
    "connector_take_calls",
    "connector_open_tasks",
    "connector_finish_slice",
    "connector_owned_endpoint",
    "connector_take_consent",
    "connector_store_grant",
    "connector_disconnect",
    "connector_unplanned_schedules",
    "connector_plan_schedules",
    "connector_health",
    "sync_status",
    "connector_quotas",
  ]);
});

const GRANT: SealedGrant = {
  endpoint_id: "e1",
  user_id: "u1",
  access_token: "sealed",
  refresh_token: "sealed",
  token_type: "Bearer",
  scope: null,
  expires_at: "2026-11-22T11:00:00Z",
  refresh_by: "2026-11-29T11:00:00Z",
};

const CONSENT: BegunConsent = {
  consent_id: "c1",
  endpoint_id: "e1",
  user_id: "u1",
  code_verifier: "sealed",
  redirect_to: null,
  lifetime_seconds: 600,
};

const CHANGES: ChangesCommit = {
  feed_key: "user",
  sequence: 3,
  files: [],
  folders: [],
  removed: [],
  skipped: [],
  filtered: [],
  receipt: {},
  next: { type: "drained", cursor: "17" },
  folders_per_task: 50,
  provider_calls: 1,
};

Deno.test("a page is posted as the secret key, and its failures are told apart like all others", async () => {
  const answer = {
    repeated: false,
    added: 1,
    updated: 0,
    unchanged: 0,
    deleted: 0,
    files_seen: 1,
    open_tasks: 0,
    tasks: [],
  };
  const { requests, db } = serving(() => Response.json(answer));
  assert.deepEqual(await db.commitChanges(LEASE, CHANGES), answer);
  const [request] = requests;
  assert.equal(request?.url, `${API_URL}/rest/v1/rpc/connector_commit_changes`);
  assert.equal(request?.headers.get("apikey"), SECRET_KEY);
  assert.equal(request?.headers.get("authorization"), `Bearer ${SECRET_KEY}`);
  assert.deepEqual(await request?.json(), { p_lease: LEASE, p_page: CHANGES });
  const failures: [() => Response | Promise<Response>, string][] = [
    [postgrestError(400, "FC001"), "lease_lost"],
    [postgrestError(400, "FC005"), "cursor_expired"],
    [postgrestError(500, "57014"), "unavailable"],
    [postgrestError(404, "PGRST202"), "setting_invalid"],
    [() => new Response("<html>bad gateway</html>", { status: 502 }), "unavailable"],
    [() => Promise.reject(new TypeError("connection reset")), "unavailable"],
    [() => new Response('{"repeated":fal'), "unavailable"],
    [() => new Response("null", { status: 500 }), "internal"],
  ];
  for (const [respond, code] of failures) {
    await assert.rejects(serving(respond).db.commitChanges(LEASE, CHANGES), { code });
  }
});

Deno.test("calls are taken from a bucket by its name and rate", async () => {
  const { requests, db } = serving(() => Response.json({ granted: 2.5, wait_seconds: 0 }));
  const quota = { bucket: "b", units: 1, unitsPerMinute: 60 };
  assert.deepEqual(await db.takeCalls(quota, 5), { granted: 2.5, wait_seconds: 0 });
  assert.deepEqual(await requests[0]?.json(), {
    p_bucket: "b",
    p_units_per_minute: 60,
    p_units: 5,
  });
});

Deno.test("a void function's empty answer is accepted", async () => {
  const { db } = serving(() => new Response(null, { status: 204 }));
  await db.storeToken(LEASE, {
    access_token: "sealed",
    token_type: "Bearer",
    scope: null,
    expires_at: "2026-11-22T11:00:00Z",
  });
});

Deno.test("a user's client sends the user's own token", async () => {
  const { requests, fetch } = serving(() => Response.json(emptyStatus()));
  const client = createUserClient({ url: API_URL, fetch }, PUBLISHABLE_KEY, new Secret("user-jwt"));
  assert.deepEqual(await createConnectorDb(client).syncStatus(5), emptyStatus());
  assert.equal(requests[0]?.headers.get("authorization"), "Bearer user-jwt");
  assert.equal(requests[0]?.headers.get("apikey"), PUBLISHABLE_KEY);
});

Deno.test("an endpoint that is not the user's is an answer to who connects accounts, not a failure", async () => {
  const missing = serving(postgrestError(404, "PT404")).db;
  assert.equal(await missing.beginConsent(CONSENT), false);
  assert.equal(await missing.disconnect("e1", "u1"), null);
  const { requests, db } = serving(() => new Response(null, { status: 204 }));
  assert.equal(await db.beginConsent(CONSENT), true);
  assert.equal(requests[0]?.url, `${API_URL}/rest/v1/rpc/connector_begin_consent`);
  assert.deepEqual(await requests[0]?.json(), { p_consent: CONSENT });
  const broken = serving(postgrestError(500, "57014")).db;
  await assert.rejects(broken.beginConsent(CONSENT), { code: "unavailable" });
  await assert.rejects(broken.disconnect("e1", "u1"), { code: "unavailable" });
});

Deno.test("who disconnects where nothing is connected is told apart from who may not", async () => {
  const { requests, db } = serving(() => Response.json(null));
  assert.deepEqual(await db.disconnect("e1", "u1"), { tokens: null });
  assert.deepEqual(await requests[0]?.json(), { p_endpoint_id: "e1", p_user_id: "u1" });
});

Deno.test("SQLSTATE FC001 is a lost lease", async () => {
  assert.equal((await failureOf(postgrestError(400, "FC001"))).code, "lease_lost");
});

Deno.test("a database that can be asked again is unavailable", async () => {
  const answers: (() => Response | Promise<Response>)[] = [
    postgrestError(500, "57014"),
    postgrestError(503, "PGRST001"),
    postgrestError(504, "PGRST003"),
    postgrestError(500, "53300"),
    postgrestError(500, "40P01"),
    () => new Response("<html>bad gateway</html>", { status: 502 }),
    () => new Response("too many", { status: 429 }),
    () => Promise.reject(new TypeError("connection reset")),
  ];
  for (const answer of answers) {
    const error = await failureOf(answer);
    assert.equal(error.code, "unavailable");
    assert.ok(error.cause instanceof Error);
  }
});

Deno.test("a database that lacks a function, or refuses the key, says what to do", async () => {
  const missing = await failureOf(postgrestError(404, "PGRST202"));
  assert.equal(missing.code, "setting_invalid");
  assert.ok(missing.message.includes("supabase db push"));
  const refused = await failureOf(postgrestError(403, "42501"));
  assert.ok(refused.message.includes("SUPABASE_SECRET_KEYS"));
});

Deno.test("any other error is internal: its text stays in the cause", async () => {
  for (const answer of [postgrestError(400, "22P02"), postgrestError(500, "XX000")]) {
    const error = await failureOf(answer);
    assert.equal(error.code, "internal");
    assert.ok(!error.message.includes("raised in the database"));
    assert.ok(error.cause instanceof Error && error.cause.message.includes("raised"));
  }
});

Deno.test("an answer of another form is refused, not passed on", async () => {
  const { db } = serving(() => Response.json({ claims: [{ endpoint_id: 1 }] }));
  await assert.rejects(db.claim({ maxConcurrent: 1, batch: 1 }), { code: "internal" });
});

Deno.test("a call that waits too long is unavailable", async () => {
  const hanging = createTimedFetch({
    timeoutMs: 20,
    fetch: (_input: URL | RequestInfo, init?: RequestInit) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      }),
  });
  const client = createAdminClient({ url: API_URL, fetch: hanging }, new Secret(SECRET_KEY));
  const started = performance.now();
  // Keeps the test alive: the time limit's own timer does not.
  const keepAlive = setTimeout(() => {}, 10_000);
  await assert.rejects(createConnectorDb(client).health(), { code: "unavailable" });
  clearTimeout(keepAlive);
  assert.ok(performance.now() - started < 5_000);
});

Deno.test("files that were encoded beforehand arrive as the others do", async () => {
  const { requests, db } = serving(() => Response.json("of no known form"));
  const page = {
    folders: [],
    walk: [],
    seeds: [],
    skipped: [],
    filtered: [],
    receipt: {},
    next: { type: "done" as const },
    task_id: 1,
    sequence: 0,
    folders_per_task: 50,
    provider_calls: 1,
  };
  const files = [{ ...FILE, file_name: 'say "ü" {}}' }, FILE];
  await db.commitPage(LEASE, { ...page, files }).catch(() => {});
  await db.commitPage(LEASE, { ...page, files: db.encodeFiles?.(files) ?? [] }).catch(() => {});
  const [plain, encoded] = await Promise.all(requests.map((request) => request.json()));
  assert.deepEqual(encoded, plain);
  assert.deepEqual(encoded.p_page.files, files);
});
