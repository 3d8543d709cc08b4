import assert from "node:assert/strict";
import { createPagePlace } from "../../../supabase/functions/_shared/sync/page_place.ts";
import { createSlots } from "../../../supabase/functions/_shared/sync/slots.ts";

const leaving = { count: 0 };
const onLeave = () => void (leaving.count += 1);

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

Deno.test("open() waits until another page has left its room", async () => {
  const slots = [createSlots(2), createSlots(1)];
  const first = createPagePlace(slots, onLeave);
  const second = createPagePlace(slots, onLeave);
  await first.open();
  let isOpen = false;
  const opening = second.open().then(() => isOpen = true);
  await settle();
  assert.equal(isOpen, false);
  first.leave();
  await opening;
  second.leave();
  await createPagePlace(slots, onLeave).open();
});

Deno.test("open() takes room once, however many calls a page makes side by side", async () => {
  const slots = createSlots(1);
  const place = createPagePlace([slots], onLeave);
  await Promise.all([place.open(), place.open()]);
  await place.open();
  place.leave();
  const leave = await slots.take();
  leave();
});

Deno.test("close() lets others have the room, and the page may take it again", async () => {
  const slots = createSlots(1);
  const place = createPagePlace([slots], onLeave);
  await place.open();
  place.close();
  (await slots.take())();
  await place.open();
  place.leave();
  (await slots.take())();
});

Deno.test("leave() gives back what is still being waited for, and says so once", async () => {
  leaving.count = 0;
  const slots = createSlots(1);
  const hold = await slots.take();
  const place = createPagePlace([slots], onLeave);
  const opening = place.open();
  place.leave();
  hold();
  await opening;
  assert.equal(leaving.count, 1);
  (await slots.take())();
});
