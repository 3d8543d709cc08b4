import assert from "node:assert/strict";
import { withRest } from "./rest_fixture.ts";

Deno.test("changing tables through the REST stand-in", async (context) => {
  await withRest(async (rest) => {
    const { service, send, sql } = rest;
    const titleOf = async (id: number) => {
      const [row] = await sql`select title from public.books where id = ${id}`;
      return row?.["title"];
    };

    await context.step("insert answers 201 and nothing, or the rows asked for", async () => {
      const bare = await service.from("books").insert({ id: 10, title: "Ten" });
      assert.deepEqual([bare.status, bare.data, bare.error], [201, null, null]);
      const full = await service.from("books")
        .insert({ title: "Given an id", pages: 5, tags: ["a", "b,c"], meta: { deep: [1] } })
        .select("title,tags,meta->deep,shelves(name)").single();
      assert.deepEqual([full.status, full.data], [201, {
        title: "Given an id",
        tags: ["a", "b,c"],
        deep: [1],
        shelves: null,
      }]);
    });

    await context.step("a bulk insert fills missing keys with null, or with defaults", async () => {
      const nulls = await service.from("books")
        .insert([{ id: 11, title: "Eleven", isbn: "b-11" }, { id: 12, title: "Twelve" }]).select(
          "id,isbn",
        );
      assert.deepEqual(nulls.data, [{ id: 11, isbn: "b-11" }, { id: 12, isbn: null }]);
      const refused = await service.from("books").insert([{ id: 13, title: "x", tags: ["t"] }, {
        id: 14,
        title: "y",
      }]);
      assert.deepEqual([refused.status, refused.error?.code], [400, "23502"]);
      const { data } = await service.from("books")
        .insert([{ id: 13, title: "x", tags: ["t"], "odd, name": "z" }, { title: "y" }], {
          defaultToNull: false,
        })
        .select('tags,"odd, name"');
      assert.deepEqual(data, [{ tags: ["t"], "odd, name": "z" }, {
        tags: [],
        "odd, name": "it's",
      }]);
    });

    await context.step(
      "raw bodies: uniform keys, empty lists, empty objects, headers only",
      async () => {
        const post = (body: string, prefer = "return=minimal", path = "/books") =>
          send(path, {
            method: "POST",
            body,
            headers: { prefer, "content-type": "application/json" },
          });
        const uneven = await post('[{"id":20,"title":"a"},{"id":21}]');
        assert.deepEqual([uneven.status, (await uneven.json()).message], [
          400,
          "All object keys must match",
        ]);
        assert.equal((await post("[]", "return=representation")).status, 201);
        assert.equal((await post("{}")).status, 400);
        for (const body of ["", "nonsense", '{"id":1', '{"id":1,}', '{"id":22,"title":tru}']) {
          const answer = await post(body);
          assert.deepEqual([answer.status, (await answer.json()).code], [400, "PGRST102"], body);
        }
        const located = await post('{"id":23,"title":"here"}', "return=headers-only");
        assert.deepEqual([located.status, located.headers.get("location"), await located.text()], [
          201,
          "/books?id=eq.23",
          "",
        ]);
      },
    );

    await context.step("upsert merges or ignores duplicates", async () => {
      const merged = await service.from("books").upsert({ id: 10, title: "Ten again" }).select(
        "title",
      );
      assert.deepEqual([merged.status, merged.data], [200, [{ title: "Ten again" }]]);
      const mixed = await service.from("books")
        .upsert([{ id: 10, title: "Ten" }, { id: 30, title: "Thirty" }]).select("id");
      assert.deepEqual([mixed.status, mixed.data?.length], [201, 2]);
      const ignored = await service.from("books")
        .upsert({ id: 10, title: "lost" }, { ignoreDuplicates: true }).select("id");
      assert.deepEqual([ignored.status, ignored.data], [201, []]);
      assert.equal(await titleOf(10), "Ten");
      const byIsbn = await service.from("books")
        .upsert({ isbn: "b-11", title: "By isbn" }, { onConflict: "isbn" }).select("id");
      assert.deepEqual(byIsbn.data, [{ id: 11 }]);
      const noKey = await service.from("books").upsert({ id: 1, title: "x" }, {
        onConflict: "title",
      });
      assert.deepEqual([noKey.status, noKey.error?.code], [400, "42P10"]);
    });

    await context.step("update changes the rows its filters leave", async () => {
      const bare = await service.from("books").update({ title: "Twelve!" }).eq("id", 12);
      assert.deepEqual([bare.status, bare.data], [204, null]);
      const full = await service.from("books").update({ pages: 7, meta: null, tags: ["n"] })
        .eq("id", 999).select();
      assert.deepEqual([full.status, full.data], [200, []]);
      const counted = await service.from("books").update({ pages: 7 }, { count: "exact" })
        .or("id.eq.10,id.eq.11").select("id,pages");
      assert.deepEqual([counted.count, counted.data?.length], [2, 2]);
      const single = await service.from("books").update({ title: "Never" }).in("id", [10, 11])
        .select().single();
      assert.deepEqual([single.status, single.error?.code], [406, "PGRST116"]);
      assert.equal(await titleOf(10), "Ten");
    });

    await context.step("max-affected undoes what changes too much", async () => {
      const answer = await send("/books?id=in.(10,11)", {
        method: "PATCH",
        body: '{"title":"Never"}',
        headers: { prefer: "handling=strict, max-affected=1" },
      });
      assert.deepEqual([answer.status, (await answer.json()).code], [400, "PGRST124"]);
      assert.equal(await titleOf(10), "Ten");
    });

    await context.step(
      "delete removes the rows its filters leave, never a whole table",
      async () => {
        const gone = await service.from("books").delete({ count: "exact" }).eq("id", 12).select(
          "title",
        );
        assert.deepEqual([gone.status, gone.count, gone.data], [200, 1, [{ title: "Twelve!" }]]);
        const bare = await service.from("books").delete().eq("id", 11);
        assert.deepEqual([bare.status, bare.data], [204, null]);
        const all = await service.from("books").delete();
        assert.deepEqual([all.status, all.error?.code], [400, "21000"]);
        const every = await service.from("books").update({ title: "x" });
        assert.equal(every.error?.message, "UPDATE requires a WHERE clause");
      },
    );

    await context.step("what is not known is refused", async () => {
      const refusals = [
        await service.from("books").update({ title: "x" }).eq("id", 1).order("id").select(),
        await service.from("books").delete().eq("id", 1).limit(1).select(),
        await service.from("books").update({}).eq("id", 1),
        await service.from("book_titles").upsert({ id: 1 }),
      ];
      for (const { status, error } of refusals) {
        assert.deepEqual([status, error?.code], [501, "STANDIN501"]);
      }
      const put = await send("/books?id=eq.1", { method: "PUT", body: "{}" });
      assert.equal(put.status, 501);
      const csv = await send("/books", {
        method: "POST",
        body: "id\n1",
        headers: { "content-type": "text/csv" },
      });
      assert.equal(csv.status, 501);
    });

    await context.step("errors of the database keep their codes", async () => {
      const cases = [
        [await service.from("books").insert({ id: 10, title: "again" }), 409, "23505"],
        [await service.from("books").insert({ title: "x", shelf_id: 77 }), 409, "23503"],
        [await service.from("books").insert({ title: "x", pages: 0 }), 400, "23514"],
        [await service.from("books").insert({ title: null }), 400, "23502"],
        [await service.from("books").insert({ title: "x", pages: "many" }), 400, "22P02"],
        [await service.from("books").select("id").eq("id", "x"), 400, "22P02"],
        [await service.from("books").select("nope"), 400, "42703"],
        [await service.from("books").insert({ nope: 1 }), 400, "PGRST204"],
        [await service.from("nope").select("id"), 404, "PGRST205"],
        [await service.from("numbers").insert({ n: 1 }), 403, "42501"],
        [await service.from("books").select("id").like("id", "1%"), 404, "42883"],
      ] as const;
      for (const [{ status, error }, expectedStatus, code] of cases) {
        assert.deepEqual([status, error?.code], [expectedStatus, code], error?.message);
      }
      const { error } = await service.from("books").insert({ id: 10, title: "again" });
      assert.deepEqual(Object.keys(error ?? {}).filter((key) => key !== "name").sort(), [
        "code",
        "details",
        "hint",
        "message",
      ]);
      assert.equal(error?.details, "Key (id)=(10) already exists.");
    });
  });
});
