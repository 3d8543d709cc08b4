import assert from "node:assert/strict";
import type postgres from "postgres";
import { waitFor } from "../../support/wait_for.ts";
import { sqlStateOf, withDatabase, withWorker } from "./with_database.ts";

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A server that answers at once, except below /held: there it waits for `release`. */
function startReceiver() {
  const received: Received[] = [];
  const held = Promise.withResolvers<void>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      received.push({
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        body: await request.text(),
      });
      if (pathname === "/held") await held.promise;
      if (pathname === "/moved") return Response.redirect(new URL("/here", request.url));
      return Response.json({ ok: true }, { status: pathname === "/teapot" ? 418 : 200 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    received,
    release: () => held.resolve(),
    async [Symbol.asyncDispose]() {
      held.resolve();
      await server.shutdown();
    },
  };
}

async function post(sql: postgres.Sql, url: string, timeoutMs = 5_000): Promise<string> {
  const [row] = await sql<[{ id: string }]>`
    select net.http_post(url := ${url}, timeout_milliseconds := ${timeoutMs})::text as id`;
  return row.id;
}

async function responseTo(sql: postgres.Sql, id: string): Promise<postgres.Row> {
  return await waitFor(`the response to ${id}`, async () => {
    const [row] = await sql`select * from net._http_response where id = ${id}`;
    return row;
  });
}

Deno.test("the stand-in for pg_net sends what is queued", async (t) => {
  await using receiver = startReceiver();
  await withWorker(async ({ sql }) => {
    await t.step("a post arrives as it was queued, and its answer is stored", async () => {
      const [row] = await sql<[{ id: string }]>`
        select net.http_post(
          url := ${receiver.url + "/teapot"}, body := '{"a": 1}', params := '{"q": "a b&c"}',
          headers := '{"x-token": "t", "Content-Type": "application/json", "x-null": null}'
        )::text as id`;
      const response = await responseTo(sql, row.id);
      assert.equal(response["status_code"], 418);
      assert.equal(response["content"], '{"ok":true}');
      assert.equal(response["content_type"], "application/json");
      assert.equal(response["timed_out"], false);
      const [request] = receiver.received;
      assert.ok(request);
      assert.equal(request.method, "POST");
      assert.equal(request.path, "/teapot?q=a%20b%26c");
      assert.equal(request.body, '{"a": 1}');
      assert.equal(request.headers.get("x-token"), "t");
      assert.match(request.headers.get("user-agent") ?? "", /^pg_net\//);
      assert.equal(request.headers.has("x-null"), false);
    });

    await t.step("a redirect is followed", async () => {
      const [row] = await sql<[{ id: string }]>`
        select net.http_get(${receiver.url + "/moved"})::text as id`;
      assert.equal((await responseTo(sql, row.id))["status_code"], 200);
      assert.equal(receiver.received.at(-1)?.path, "/here");
    });

    await t.step("a transaction that is rolled back sends nothing", async () => {
      await assert.rejects(sql.begin(async (transaction) => {
        await transaction`select net.http_get(${receiver.url + "/never"})`;
        throw new Error("rolled back");
      }));
      await responseTo(sql, await post(sql, `${receiver.url}/after`));
      assert.equal(receiver.received.some(({ path }) => path === "/never"), false);
    });

    await t.step("a server that is not there is an error row", async () => {
      const response = await responseTo(
        sql,
        // No test, and no service, listens on a port that low (the lowest are refused by name).
        await post(sql, "http://127.0.0.1:4/"),
      );
      assert.equal(response["status_code"], null);
      assert.equal(response["error_msg"], "Couldn't connect to server");
    });

    await t.step("a slow request holds back its batch and what is queued after it", async () => {
      const ids = await sql.begin(async (transaction) => {
        const rows = await transaction<{ id: string }[]>`
          select net.http_get(${receiver.url} || path)::text as id
          from unnest(array['/quick', '/held']) as path`;
        return rows.map(({ id }) => id);
      });
      await waitFor("both requests", () => receiver.received.some(({ path }) => path === "/held"));
      const later = await post(sql, `${receiver.url}/later`);
      const [count] = await sql`
        select count(*)::int as answered from net._http_response where id = any (${ids})`;
      assert.equal(count?.["answered"], 0);
      assert.equal(receiver.received.some(({ path }) => path === "/later"), false);
      receiver.release();
      for (const id of [...ids, later]) await responseTo(sql, id);
    });
  });
});

Deno.test("the stand-in for pg_net gives up at the time limit", async () => {
  await using receiver = startReceiver();
  await withWorker(async ({ sql }) => {
    const response = await responseTo(sql, await post(sql, `${receiver.url}/held`, 100));
    assert.equal(response["timed_out"], true);
    assert.equal(response["status_code"], null);
    assert.match(String(response["error_msg"]), /^Timeout of 100 ms reached/);
  });
});

Deno.test("the stand-in for pg_net loses nothing that is queued while its worker is away", async () => {
  await using receiver = startReceiver();
  await withDatabase(async ({ database, sql }) => {
    const first = await database.startWorker();
    first?.signal("SIGKILL");
    await first?.exited;
    const id = await post(sql, `${receiver.url}/waiting`);
    const second = await database.startWorker();
    try {
      assert.equal((await responseTo(sql, id))["status_code"], 200);
    } finally {
      await second?.stop();
    }
  });
});

Deno.test("the worker goes on after the server has recovered from a crash", async () => {
  await using receiver = startReceiver();
  await withWorker(async ({ database, sql }) => {
    await responseTo(sql, await post(sql, `${receiver.url}/before`));
    const [session] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
    Deno.kill(session.pid, "SIGKILL");
    const id = await waitFor(
      "the server",
      () => post(sql, `${receiver.url}/after`).catch(() => null),
    );
    assert.equal((await responseTo(sql, id))["status_code"], 200);
    const rows = await sql`select from net._http_response`;
    assert.equal(rows.length, 1, "the tables are unlogged: a crash empties them");
    assert.ok(database.standIns.includes("pg_net"));
  });
});

Deno.test("the stand-in for pg_net refuses what pg_net refuses", async () => {
  await withDatabase(async ({ sql }) => {
    const headers = { "content-type": "application/json; charset=utf-8" };
    assert.equal(
      await sqlStateOf(sql`select net.http_post('http://a', headers := ${sql.json(headers)})`),
      "P0001",
    );
    assert.equal(await sqlStateOf(sql`select net.http_post('http://a', body := null)`), "P0001");
    assert.equal(await sqlStateOf(sql`select net.http_post(null)`), "23502");
    const [table] = await sql`
      select relpersistence from pg_class where oid = 'net.http_request_queue'::regclass`;
    assert.equal(table?.["relpersistence"], "u");
  });
});
