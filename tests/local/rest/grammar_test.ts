import assert from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { statusOfSqlState } from "../../../local/rest/database_failure.ts";
import { RestFailure } from "../../../local/rest/failure.ts";
import { topLevelKeys } from "../../../local/rest/json_keys.ts";
import { parseQuery } from "../../../local/rest/query_string.ts";
import { describeRange, intersectRanges, parseRangeHeader } from "../../../local/rest/ranges.ts";
import { arrayLiteral, quoteIdentifier } from "../../../local/rest/sql_text.ts";

const parse = (search: string) => parseQuery(new URLSearchParams(search));

Deno.test("topLevelKeys() finds the keys that JSON.parse() finds", () => {
  const value = fc.dictionary(
    fc.string({ unit: "binary" }).filter((key) => key !== "__proto__"),
    fc.jsonValue(),
  );
  fc.assert(fc.property(value, fc.integer({ min: 0, max: 3 }), (object, indent) => {
    const keys = topLevelKeys(JSON.stringify(object, null, indent));
    assert.deepEqual([...keys].sort(), Object.keys(object).sort());
  }));
});

Deno.test("topLevelKeys() refuses what does not end as an object", () => {
  for (
    const text of ["", "[]", "1", '{"a"}', '{"a":1', '{"a":"x', "{a:1}", '{"a":1} x', '{"a":[}']
  ) {
    assert.throws(() => topLevelKeys(text), RestFailure, text);
  }
});

Deno.test("parseQuery() reads quoted names, paths and escaped values", () => {
  const query = parse(
    `select="a,b":"c.d"->"e f"->>0,x:rel!hint!inner(y)&rel."p.q"->>r=not.eq.v&or=(a.eq."x\\"y,)",not.and(b.is.null,c.in.(1,"2,3")))&order=a->b.desc.nullslast`,
  );
  assert.deepEqual(query.select[0], {
    type: "field",
    field: {
      name: "c.d",
      path: [
        { operand: "e f", isIndex: false, asText: false },
        { operand: "0", isIndex: true, asText: true },
      ],
    },
    cast: null,
    alias: "a,b",
  });
  assert.deepEqual(query.conditions[0]?.path, ["rel"]);
  const [, group] = query.conditions;
  assert.equal(group?.value.type, "group");
  assert.match(JSON.stringify(group), /x\\"y,\)/);
  assert.match(JSON.stringify(group), /"2,3"/);
  assert.equal(query.orders[0]?.value[0]?.nulls, "last");
});

Deno.test("parseQuery() refuses what it cannot read as a whole", () => {
  const searches = [
    "select=a b,,c",
    "select=a(",
    "select=a::",
    "select=a)b",
    "a=eq.1&or=(a.eq.1",
    "or=a.eq.1",
    "or=(a.zz.1)",
    "a=in.1,2",
    "a=in.(1,2)x",
    "a=is.maybe",
    "a=not.zz.1",
    "order=a.up",
    "order=a,",
    "columns=a,",
    '"a=eq.1',
  ];
  for (const search of searches) {
    assert.throws(
      () => parse(search),
      (error) => error instanceof RestFailure && error.status === 400,
      search,
    );
  }
});

Deno.test("parseQuery() ends with an answer or a refusal on any text", () => {
  const piece = fc.constantFrom(
    "a",
    "b.c",
    "(",
    ")",
    ",",
    ".",
    '"',
    "\\",
    "->",
    "->>",
    "::",
    "eq.",
    "not.",
    "in.",
    "or",
    "!",
    "*",
    "1",
    " ",
    "{",
    "}",
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, text, (key, value) => {
      for (const search of [{ select: value }, { order: value }, { or: value }, { [key]: value }]) {
        try {
          parseQuery(new URLSearchParams(search));
        } catch (error) {
          assert.ok(error instanceof RestFailure, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("quoteIdentifier() and arrayLiteral() keep their text together", () => {
  assert.equal(quoteIdentifier('a"b\0'), '"a""b"');
  assert.equal(arrayLiteral(['a"b', "c\\d", "e,f", ""]), '{"a\\"b","c\\\\d","e,f",""}');
});

Deno.test("ranges intersect, and describe what was answered", () => {
  assert.deepEqual(parseRangeHeader("0-9"), { offset: 0, limit: 10 });
  assert.deepEqual(parseRangeHeader("5-"), { offset: 5, limit: null });
  assert.equal(parseRangeHeader("bytes=0-9"), null);
  assert.throws(() => parseRangeHeader("9-0"), RestFailure);
  assert.deepEqual(intersectRanges({ offset: 5, limit: 10 }, { offset: 0, limit: 8 }), {
    offset: 5,
    limit: 3,
  });
  assert.deepEqual(describeRange(0, 0, null), { status: 200, contentRange: "*/*" });
  assert.deepEqual(describeRange(2, 3, 5), { status: 206, contentRange: "2-4/5" });
  assert.throws(() => describeRange(6, 0, 5), RestFailure);
});

Deno.test("statusOfSqlState() follows PostgREST's table", () => {
  const states = {
    "08006": 503,
    "0LP01": 403,
    "25006": 405,
    "25P02": 500,
    "42P01": 404,
    "42P17": 500,
    "99999": 400,
    PT418: 418,
    PTabc: 500,
    "57P01": 503,
    "53400": 500,
  };
  for (const [state, status] of Object.entries(states)) {
    assert.equal(statusOfSqlState(state, "", false), status, state);
  }
  assert.equal(statusOfSqlState("42501", "", true), 401);
  assert.equal(statusOfSqlState("22023", 'role "x" does not exist', false), 401);
});
