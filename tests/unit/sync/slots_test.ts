import assert from "node:assert/strict";
import { createSlots } from "../../../supabase/functions/_shared/sync/slots.ts";

Deno.test("createSlots() gives out so many places and the next to who has waited longest", async () => {
  const slots = createSlots(2);
  const order: string[] = [];
  const leaveFirst = await slots.take();
  const leaveSecond = await slots.take();
  const third = slots.take().then((leave) => (order.push("third"), leave));
  const fourth = slots.take().then((leave) => (order.push("fourth"), leave));
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  assert.deepEqual(order, []);
  leaveSecond();
  (await third)();
  (await fourth)();
  leaveFirst();
  assert.deepEqual(order, ["third", "fourth"]);
  const all = await Promise.all([slots.take(), slots.take()]);
  assert.equal(all.length, 2, "every place came back");
});

Deno.test("who leads goes before all who wait and do not, in the order in which leaders came", async () => {
  const slots = createSlots(1);
  const order: string[] = [];
  const leave = await slots.take();
  const takers = [["first", false], ["leader", true], ["second leader", true]] as const;
  const taken = takers.map(async ([name, isLeading]) => {
    const leaveIt = await slots.take(isLeading);
    order.push(name);
    leaveIt();
  });
  leave();
  await Promise.all(taken);
  assert.deepEqual(order, ["leader", "second leader", "first"]);
});
