import assert from "node:assert/strict";
import type { SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import { withRest } from "./rest_fixture.ts";

const idRows = z.array(z.object({ id: z.number() }));

function idsOf(rows: unknown): readonly number[] {
  return idRows.parse(rows).map((row) => row.id);
}

type Books = ReturnType<ReturnType<SupabaseClient["from"]>["select"]>;

/** A filter and the ids of the books it leaves. */
type Case = readonly [name: string, filter: (books: Books) => Books, ids: readonly number[]];

const FILTERS: readonly Case[] = [
  ["eq", (books) => books.eq("title", "Notes, on (engines)"), [2]],
  ["neq", (books) => books.neq("pages", 100), [2, 4]],
  ["gt", (books) => books.gt("pages", 100), [2]],
  ["gte", (books) => books.gte("pages", 100), [1, 2]],
  ["lt", (books) => books.lt("pages", 100), [4]],
  ["lte", (books) => books.lte("pages", 100), [1, 4]],
  ["like with percent", (books) => books.like("title", "Comp%"), [1]],
  ["like with star", (books) => books.like("title", "*o"), [4]],
  ["ilike", (books) => books.ilike("title", "cobol%"), [3]],
  ["likeAnyOf", (books) => books.likeAnyOf("title", ["Comp%", "Z%"]), [1, 4]],
  ["ilikeAllOf", (books) => books.ilikeAllOf("title", ["%c%", "%b%"]), [3]],
  ["match", (books) => books.filter("title", "match", "^[A-Z]ero$"), [4]],
  ["is null", (books) => books.is("isbn", null), [3]],
  ["is true", (books) => books.is("is_lent", true), [2]],
  ["is not_null", (books) => books.filter("isbn", "is", "not_null"), [1, 2, 4]],
  ["isdistinct", (books) => books.filter("pages", "isdistinct", "100"), [2, 3, 4]],
  ["in", (books) => books.in("isbn", ["a-1", "a-4"]), [1, 4]],
  ["in with reserved characters", (books) => books.in("title", ["Notes, on (engines)"]), [2]],
  ["in of nothing", (books) => books.in("title", []), []],
  ["not in", (books) => books.not("id", "in", "(1,2)"), [3, 4]],
  ["not eq", (books) => books.not("title", "eq", "Zero"), [1, 2, 3]],
  ["not is null", (books) => books.not("isbn", "is", null), [1, 2, 4]],
  ["cs of an array", (books) => books.contains("tags", ["red"]), [1, 2]],
  ["cs of jsonb", (books) => books.contains("meta", { price: 8 }), [2]],
  ["cd", (books) => books.containedBy("tags", ["red", "green"]), [2, 3]],
  ["ov", (books) => books.overlaps("tags", ["blue", "green"]), [1, 4]],
  ["json text", (books) => books.eq("meta->>price", "12.5"), [1]],
  ["json number", (books) => books.gt("meta->price", 10), [1]],
  ["json index", (books) => books.eq("meta->keys->>1", "y"), [1]],
  ["json null", (books) => books.is("meta->>price", null), [3, 4]],
  ["json of an array column", (books) => books.eq("tags->>0", "blue"), [1, 4]],
  ["a boolean as text", (books) => books.eq("is_lent", "true"), [2]],
  ["match of several columns", (books) => books.match({ is_lent: false, pages: 4 }), [4]],
  ["or", (books) => books.or("pages.eq.4,title.like.COBOL*"), [3, 4]],
  ["or with and", (books) => books.or("and(pages.gt.50,is_lent.is.false),id.eq.3"), [1, 3]],
  ["or with not", (books) => books.or("not.and(id.gt.1,id.lt.4),title.eq.x"), [1, 4]],
  ["or with in", (books) => books.or("id.in.(1,2),id.eq.4"), [1, 2, 4]],
  ["or with a quoted value", (books) => books.or('title.eq."Notes, on (engines)",id.eq.1'), [
    1,
    2,
  ]],
  ["or with an array", (books) => books.or("tags.ov.{blue,green},id.eq.3"), [1, 3, 4]],
  ["two filters of one column", (books) => books.gt("id", 1).lt("id", 4), [2, 3]],
];

Deno.test("reading tables through the REST stand-in", async (context) => {
  await withRest(async (rest) => {
    const { service, send } = rest;

    await context.step("every filter leaves its rows", async () => {
      for (const [name, filter, ids] of FILTERS) {
        const { data, error } = await filter(service.from("books").select("id")).order("id");
        assert.equal(error, null, `${name}: ${error?.message}`);
        assert.deepEqual(idsOf(data), ids, name);
      }
    });

    await context.step("select renames, casts and reaches into json", async () => {
      const { data } = await service.from("shelves")
        .select("number:id,id::text,room:details->room->>name,details->size,details->room->name")
        .eq("id", 1).single();
      assert.deepEqual(data, { number: 1, id: "1", room: "attic", size: 10, name: "attic" });
    });

    await context.step("order sorts by column, direction, nulls and json", async () => {
      const ids = async (
        column: string,
        options: { ascending?: boolean; nullsFirst?: boolean },
      ) => {
        const { data } = await service.from("books").select("id").order(column, options);
        return data?.map((row) => row["id"]);
      };
      assert.deepEqual(await ids("pages", {}), [4, 1, 2, 3]);
      assert.deepEqual(await ids("pages", { ascending: false, nullsFirst: false }), [2, 1, 4, 3]);
      assert.deepEqual(await ids("pages", { nullsFirst: true }), [3, 4, 1, 2]);
      assert.deepEqual(
        (await ids("meta->price", { ascending: false, nullsFirst: false }))?.slice(0, 2),
        [1, 2],
      );
    });

    await context.step("range and count answer 206 and Content-Range", async () => {
      const page = await service.from("books").select("id", { count: "exact" }).order("id").range(
        1,
        2,
      );
      assert.deepEqual([page.status, page.count, page.data], [206, 4, [{ id: 2 }, { id: 3 }]]);
      const head = await service.from("books").select("*", { count: "exact", head: true });
      assert.deepEqual([head.status, head.count, head.data], [200, 4, null]);
      const raw = await send("/books?select=id&order=id", { headers: { range: "1-2" } });
      assert.equal(raw.headers.get("content-range"), "1-2/*");
      assert.deepEqual(await raw.json(), [{ id: 2 }, { id: 3 }]);
      const none = await service.from("books").select("id").limit(0);
      assert.deepEqual([none.status, none.data], [200, []]);
      const beyond = await service.from("books").select("id", { count: "exact" }).range(10, 12);
      assert.deepEqual([beyond.status, beyond.error?.code], [416, "PGRST103"]);
    });

    await context.step("no answer holds more than 1000 rows", async () => {
      const all = await service.from("numbers").select("n", { count: "exact" });
      assert.deepEqual([all.status, all.data?.length, all.count], [206, 1000, 1200]);
      const more = await service.from("numbers").select("n").limit(1100);
      assert.equal(more.data?.length, 1000);
    });

    await context.step("single() wants exactly one row", async () => {
      const one = await service.from("books").select("title").eq("id", 4).single();
      assert.deepEqual(one.data, { title: "Zero" });
      const none = await service.from("books").select("title").eq("id", 99).single();
      assert.deepEqual([none.status, none.error?.code, none.error?.details], [
        406,
        "PGRST116",
        "The result contains 0 rows",
      ]);
      const maybe = await service.from("books").select("title").eq("id", 99).maybeSingle();
      assert.deepEqual([maybe.data, maybe.error], [null, null]);
      const many = await service.from("books").select("title").single();
      assert.equal(many.error?.code, "PGRST116");
    });

    await context.step("resources embed along foreign keys, both ways", async () => {
      const up = await service.from("books").select("id,shelves(name)").order("id");
      assert.deepEqual(up.data?.[0], { id: 1, shelves: { name: "Ada's shelf" } });
      assert.deepEqual(up.data?.[3], { id: 4, shelves: null });
      const down = await service.from("shelves").select("id,books(id)").order("id")
        .order("id", { referencedTable: "books", ascending: false });
      assert.deepEqual(down.data, [
        { id: 1, books: [{ id: 2 }, { id: 1 }] },
        { id: 2, books: [{ id: 3 }] },
        { id: 3, books: [] },
      ]);
      const one = await service.from("books").select("id,cover:covers(colour)").in("id", [1, 2])
        .order("id");
      assert.deepEqual(one.data, [{ id: 1, cover: { colour: "green" } }, { id: 2, cover: null }]);
      const deep = await service.from("shelves").select("books(covers(colour))").eq("id", 1)
        .eq("books.id", 1).single();
      assert.deepEqual(deep.data, { books: [{ covers: { colour: "green" } }] });
    });

    await context.step("inner resources filter the rows that hold them", async () => {
      const inner = await service.from("shelves").select("id,books!inner(id)", { count: "exact" })
        .eq("books.is_lent", true);
      assert.deepEqual([inner.data, inner.count], [[{ id: 1, books: [{ id: 2 }] }], 1]);
      const left = await service.from("shelves").select("id,books(id)").eq("books.is_lent", true)
        .order("id");
      assert.deepEqual(left.data?.map((row) => row["books"].length), [1, 0, 0]);
      const up = await service.from("books").select("id,shelf:shelves!inner(name)")
        .or("name.like.Grace*,name.eq.x", { referencedTable: "shelf" });
      assert.deepEqual(up.data, [{ id: 3, shelf: { name: "Grace's shelf" } }]);
      const bare = await service.from("books").select("id,covers!inner()");
      assert.deepEqual(bare.data, [{ id: 1 }]);
    });

    await context.step("an ambiguous resource is refused until a hint decides", async () => {
      const vague = await service.from("loans").select("id,shelves(name)");
      assert.deepEqual([vague.status, vague.error?.code], [300, "PGRST201"]);
      const hinted = await service.from("loans").select("id,shelves!loans_to_shelf_id_fkey(name)");
      assert.equal(hinted.error, null);
      const byColumn = await service.from("loans").select("id,from_shelf_id(name)");
      assert.equal(byColumn.error, null);
      const unknown = await service.from("books").select("id,numbers(n)");
      assert.deepEqual([unknown.status, unknown.error?.code], [400, "PGRST200"]);
      const stray = await service.from("books").select("id").eq("shelves.name", "x");
      assert.deepEqual([stray.status, stray.error?.code], [400, "PGRST108"]);
    });

    await context.step("a view reads like a table", async () => {
      const { data } = await service.from("book_titles").select("title").eq("id", 4).single();
      assert.deepEqual(data, { title: "Zero" });
    });

    await context.step("what is not known is refused, not guessed", async () => {
      const refusals = [
        await service.from("books").select("id").textSearch("title", "x"),
        await service.from("books").select("id").csv(),
        await service.from("books").select("id").explain(),
        await service.from("books").select("id").stripNulls(),
        await service.from("books").select("id", { count: "planned" }),
        await service.from("books").select("id,...shelves(name)"),
        await service.from("books").select("id,shelves(name)").order("shelves(name)"),
        await service.from("books").select("id,covers(colour)").is("covers", null),
        await service.from("books").select("id,authors(name)"),
        await service.from("shelves").select("id,book_titles(title)"),
        await service.from("shelves").select("id,books(count)"),
        await service.from("books").select("id::regclass"),
      ];
      for (const { status, error } of refusals) {
        assert.deepEqual([status, error?.code], [501, "STANDIN501"], error?.message);
      }
      const root = await send("/");
      assert.equal(root.status, 501);
      const aggregate = await service.from("books").select("pages.sum()");
      assert.deepEqual([aggregate.status, aggregate.error?.code], [400, "PGRST123"]);
    });
  });
});
