import assert from "node:assert/strict";
import { PUBLISHABLE_KEY, withRest } from "./rest_fixture.ts";

Deno.test("calling functions through the REST stand-in", async (context) => {
  await withRest(async (rest) => {
    const { service, send } = rest;

    await context.step("arguments arrive by name, defaults fill the rest", async () => {
      const echoed = await service.rpc("echo", { p_rows: [{ a: 'ü\u2028"\\' }, null] });
      assert.deepEqual([echoed.status, echoed.data], [200, {
        rows: [{ a: 'ü\u2028"\\' }, null],
        label: "none",
      }]);
      const labelled = await service.rpc("echo", { p_label: "x", p_rows: 1 });
      assert.deepEqual(labelled.data, { rows: 1, label: "x" });
      const list = await service.rpc("sum_list", { p_numbers: [1, 2, 39], p_exact: true });
      assert.equal(list.data, 42);
    });

    await context.step("each kind of result has its shape", async () => {
      const results = {
        void: await service.rpc("lend", { p_book_id: 1 }),
        null: await service.rpc("nothing"),
        composite: await service.rpc("one_book", { p_id: 4 }),
        outs: await service.rpc("two_outs"),
        scalars: await service.rpc("colours"),
        table: await service.rpc("counts"),
        overloaded: await service.rpc("overloaded", { p_a: 1, p_b: 2 }),
        body: await service.rpc("take_body", { any: "thing" }),
      };
      assert.deepEqual([results.void.status, results.void.data], [204, null]);
      assert.deepEqual([results.null.status, results.null.data], [200, null]);
      assert.equal(results.composite.data?.title, "Zero");
      assert.deepEqual(results.outs.data, { low: 1, high: 2 });
      assert.deepEqual(results.scalars.data, ["red", "blue"]);
      assert.deepEqual(results.table.data, [{ kind: "books", total: 4 }, {
        kind: "shelves",
        total: 3,
      }]);
      assert.equal(results.overloaded.data, "two");
      assert.deepEqual(results.body.data, { whole: { any: "thing" } });
      const lent = await service.from("books").select("is_lent").eq("id", 1).single();
      assert.deepEqual(lent.data, { is_lent: true });
    });

    await context.step(
      "a set of rows can be filtered, picked from, ordered, cut and counted",
      async () => {
        const rows = await service.rpc("long_books", { p_pages: 1 }, { count: "exact" })
          .select("title,price:meta->>price").gt("pages", 10).order("pages", { ascending: false })
          .limit(1);
        assert.deepEqual([rows.status, rows.count, rows.data], [206, 2, [
          { title: "Notes, on (engines)", price: "8" },
        ]]);
        const one = await service.rpc("long_books").select("title").eq("id", 4).single();
        assert.deepEqual(one.data, { title: "Zero" });
        const none = await service.rpc("long_books").eq("id", 99).single();
        assert.deepEqual([none.status, none.error?.code], [406, "PGRST116"]);
        const unknown = await service.rpc("counts").eq("nope", 1);
        assert.deepEqual([unknown.status, unknown.error?.code], [400, "42703"]);
      },
    );

    await context.step(
      "GET and HEAD call read-only, with arguments in the query string",
      async () => {
        const got = await service.rpc("sum_list", { p_numbers: [1, 2], p_exact: true }, {
          get: true,
        });
        assert.equal(got.data, 3);
        const head = await service.rpc("long_books", {}, { head: true, count: "exact" });
        assert.deepEqual([head.status, head.count], [200, 3]);
        const write = await send("/rpc/lend?p_book_id=1");
        assert.deepEqual([write.status, (await write.json()).code], [405, "25006"]);
      },
    );

    await context.step("a missing function says what was searched for", async () => {
      const { status, error } = await service.rpc("echo", { p_rows: 1, nope: 2 });
      assert.deepEqual([status, error?.code, error?.message], [
        404,
        "PGRST202",
        "Could not find the function public.echo(nope, p_rows) in the schema cache",
      ]);
      assert.equal((await service.rpc("count_rows")).error?.code, "PGRST202");
      assert.equal((await service.rpc("absent")).status, 404);
      assert.equal((await service.rpc("vague")).error?.code, "PGRST203");
      assert.equal((await service.rpc("variadic_sum", { p_numbers: [1] })).status, 501);
      assert.equal((await send("/rpc/echo", { method: "DELETE" })).status, 405);
      assert.equal((await service.rpc("echo", { p_rows: 1 }).eq("x", 1)).status, 501);
    });

    await context.step("errors a function raises keep code, detail and hint", async () => {
      const statuses = {
        P0001: 400,
        P0002: 500,
        FC001: 400,
        PT402: 402,
        PT999: 500,
        "22023": 400,
        "23503": 409,
        "23505": 409,
        "23514": 400,
        "40001": 500,
        "42501": 403,
        "53300": 503,
        "55000": 500,
        "57014": 500,
        XX000: 500,
      };
      for (const [state, expected] of Object.entries(statuses)) {
        const { status, error } = await service.rpc("fail_with", { p_state: state });
        assert.deepEqual([status, error?.code, error?.message, error?.details, error?.hint], [
          expected,
          state,
          "as told",
          "the detail",
          "the hint",
        ]);
      }
      const anonymous = await rest.clientOf(null);
      const denied = await anonymous.rpc("echo", { p_rows: 1 });
      assert.deepEqual([denied.status, denied.error?.code], [401, "42501"]);
    });

    await context.step("settings of a function hold before it is called", async () => {
      assert.equal((await service.rpc("patience")).data, "12345ms");
      assert.equal((await service.rpc("serializable_level")).data, "serializable");
      const cut = await service.rpc("impatience");
      assert.deepEqual([cut.status, cut.error?.code], [500, "57014"]);
    });

    await context.step("a function may set the answer's status and headers", async () => {
      const answer = await send("/rpc/teapot", { method: "POST" });
      assert.deepEqual([answer.status, answer.headers.get("x-pot"), await answer.json()], [
        418,
        "brown",
        "short and stout",
      ]);
    });

    await context.step("SQL sees who asks and how", async () => {
      const answer = await send("/rpc/who_am_i", {
        headers: { "x-agent": "me", apikey: PUBLISHABLE_KEY },
      });
      assert.deepEqual(await answer.json(), {
        role: "anon",
        claims: { role: "anon" },
        uid: null,
        method: "GET",
        path: "/rpc/who_am_i",
        agent: "me",
      });
    });

    await context.step("a body of many megabytes makes the round trip", async () => {
      const rows = Array.from({ length: 4000 }, (_, index) => ({
        id: `file-${index}`,
        name: `Ünïcode "${index}" \\ {[,]}`,
        note: "n".repeat(1000),
      }));
      const echoed = await service.rpc("echo", { p_rows: rows, p_label: "big" });
      assert.deepEqual(echoed.data, { rows, label: "big" });
      const large = await send("/rpc/count_rows", {
        method: "POST",
        body: JSON.stringify({ p_rows: ["x".repeat(21 * 1024 * 1024)] }),
      });
      assert.equal(large.status, 413);
      await large.body?.cancel();
    });
  });
});
