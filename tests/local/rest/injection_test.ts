import assert from "node:assert/strict";
import { withRest } from "./rest_fixture.ts";

const ATTACKS = [
  "x'; drop table books; --",
  'x"; drop table books; --',
  'id" = 1 or "id',
  "id) or (1=1",
  "id; select pg_sleep(5)",
  "1::text; drop table books",
  "id from books; drop table books; --",
  "$1",
  "\\'; drop table books; --",
  "' || (select isbn from books limit 1) || '",
  "id\u0000",
  "/*",
  "{1,2}'; drop table books; --",
  "pg_sleep(1)",
  "%27%3B drop table books",
];

/** Every place of a request where a caller's text can stand. */
const POSITIONS: Readonly<
  Record<string, (attack: string) => readonly [path: string, init?: RequestInit]>
> = {
  "table name": (attack) => [`/${attack}?select=id`],
  "function name": (attack) => [`/rpc/${attack}`, { method: "POST", body: "{}" }],
  "select column": (attack) => [`/books?select=${attack}`],
  "select quoted column": (attack) => [`/books?select="${attack}"`],
  "select alias": (attack) => [`/books?select="${attack}":id`],
  "select cast": (attack) => [`/books?select=id::${attack}`],
  "select json key": (attack) => [`/books?select=meta->>"${attack}"`],
  "select resource": (attack) => [`/books?select=id,${attack}(id)`],
  "select resource alias": (attack) => [`/books?select="${attack}":shelves(id)`],
  "select hint": (attack) => [`/books?select=shelves!${attack}(id)`],
  "filter column": (attack) => [`/books?${attack}=eq.1`],
  "filter quoted column": (attack) => [`/books?"${attack}"=eq.1`],
  "filter operator": (attack) => [`/books?id=${attack}.1`],
  "filter value": (attack) => [`/books?title=eq.${attack}`],
  "filter number": (attack) => [`/books?id=eq.${attack}`],
  "filter like": (attack) => [`/books?title=like.${attack}`],
  "filter list": (attack) => [`/books?title=in.(${attack},"${attack}")`],
  "filter array": (attack) => [`/books?tags=cs.${attack}`],
  "filter is": (attack) => [`/books?title=is.${attack}`],
  "filter json key": (attack) => [`/books?meta->>"${attack}"=eq.${attack}`],
  "or": (attack) => [`/books?or=(title.eq.${attack},"${attack}".eq.1)`],
  "or value": (attack) => [`/books?or=(title.eq."${attack}",id.eq.-1)`],
  "order column": (attack) => [`/books?select=id&order=${attack}`],
  "order direction": (attack) => [`/books?select=id&order=id.${attack}`],
  "order json key": (attack) => [`/books?select=id&order=meta->>"${attack}"`],
  "limit": (attack) => [`/books?limit=${attack}`],
  "offset": (attack) => [`/books?offset=${attack}`],
  "insert column": (
    attack,
  ) => ["/books", { method: "POST", body: JSON.stringify({ [attack]: 1 }) }],
  "insert value": (
    attack,
  ) => ["/books", { method: "POST", body: JSON.stringify({ title: attack.replaceAll("\0", "") }) }],
  "insert columns": (attack) => [`/books?columns=${attack}`, { method: "POST", body: "[]" }],
  "on_conflict": (attack) => [`/books?on_conflict=${attack}`, {
    method: "POST",
    body: '{"id":1,"title":"Compilers"}',
    headers: { prefer: "resolution=merge-duplicates" },
  }],
  "update column": (
    attack,
  ) => ["/books?id=eq.-1", { method: "PATCH", body: JSON.stringify({ [attack]: 1 }) }],
  "delete filter": (attack) => [`/books?${attack}=eq.1&id=eq.-1`, { method: "DELETE" }],
  "returning": (attack) => [`/books?id=eq.-1&select=${attack}`, {
    method: "DELETE",
    headers: { prefer: "return=representation" },
  }],
  "rpc argument name": (
    attack,
  ) => ["/rpc/echo", { method: "POST", body: JSON.stringify({ [attack]: 1 }) }],
  "rpc GET argument": (attack) => [`/rpc/sum_list?p_exact=true&p_numbers=${attack}`],
  "prefer": (
    attack,
  ) => ["/books?select=id&limit=1", { headers: { prefer: encodeURIComponent(attack) } }],
};

Deno.test("no text of a caller becomes SQL", async (context) => {
  await withRest(async ({ send, sql }) => {
    // The test itself inserts rows, all with later ids.
    const facts = async () => {
      const [row] = await sql`
        select count(*)::integer as books, string_agg(title || coalesce(isbn, ''), ',' order by id) as kept
        from public.books where id <= 4`;
      return row;
    };
    const before = await facts();
    for (const [position, request] of Object.entries(POSITIONS)) {
      await context.step(position, async () => {
        for (const attack of ATTACKS) {
          for (const text of [attack, encodeURIComponent(attack)]) {
            const [path, init] = request(text);
            const answer = await send(path, init);
            const body = await answer.text();
            // 42601 would be a syntax error: the text was read as SQL. 500 would be a fault of ours.
            assert.ok(
              !body.includes('"42601"') && answer.status !== 500,
              `${text}: ${answer.status} ${body}`,
            );
            assert.ok(!body.includes("a-2"), `${text} leaked: ${body}`);
          }
        }
      });
    }
    assert.deepEqual(await facts(), before);
  });
});
