import assert from "node:assert/strict";
import { holdPage } from "../../../supabase/functions/_shared/sync/run_state.ts";
import { createSlots } from "../../../supabase/functions/_shared/sync/slots.ts";

const NEVER = new AbortController().signal;

function room(places: { readonly own: number; readonly shared: number }) {
  const budget = {
    deadline: new Date(0),
    unloading: NEVER,
    pages: createSlots(places.shared),
    openPages: createSlots(places.shared),
    isSpent: () => false,
    spend: () => {},
  };
  return { pages: createSlots(places.own), openPages: createSlots(places.own), budget };
}

Deno.test("a page that others wait for is asked for though these hold all places of their endpoint", async () => {
  const held = room({ own: 1, shared: 3 });
  await holdPage(held);
  await holdPage(held, true);
});

Deno.test("a page that others wait for takes what endpoints share in turn", async () => {
  const held = room({ own: 1, shared: 2 });
  const order: string[] = [];
  const [busy, other] = [held, held].map(({ budget }) => ({
    ...room({ own: 1, shared: 0 }),
    budget,
  }));
  assert.ok(busy !== undefined && other !== undefined);
  const [first, elsewhere] = [await holdPage(held), await holdPage(busy)];
  // No shared place is left: these wait in the order in which they ask.
  const ask = async (name: string, place: typeof held, isLeading: boolean) => {
    const page = await holdPage(place, isLeading);
    order.push(name);
    page.leave();
  };
  const taken = [ask("another endpoint's", other, false)];
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  taken.push(ask("leading", held, true));
  elsewhere.leave();
  first.leave();
  await Promise.all(taken);
  assert.deepEqual(order, ["another endpoint's", "leading"]);
});
