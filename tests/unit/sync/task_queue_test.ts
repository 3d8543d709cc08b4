import assert from "node:assert/strict";
import type { Task } from "../../../supabase/functions/_shared/providers/types.ts";
import { createTaskQueue } from "../../../supabase/functions/_shared/sync/task_queue.ts";

const LEASE = { endpoint_id: "endpoint", lease_token: "lease" };

function task(id: number): Task {
  return { id, kind: "part", folder_ids: [], cursor: null, sequence: 0 };
}

/** A listing whose open tasks are counted as they are handed out. */
function setUp(
  count: number,
  options: {
    readonly given?: number;
    readonly mayGoOn?: () => boolean;
    readonly leadingTasks?: ReadonlySet<string>;
  } = {},
) {
  const open = new Map(Array.from({ length: count }, (_, index) => [index + 1, task(index + 1)]));
  const reads: number[] = [];
  const given = [...open.values()].slice(0, options.given ?? 50);
  const queue = createTaskQueue({
    lease: LEASE,
    db: {
      openTasks(_lease, afterId, limit) {
        reads.push(limit);
        const tasks = [...open.values()].filter(({ id }) => id > afterId).slice(0, limit);
        return Promise.resolve(tasks.map((one) => ({ ...one, folder_ids: [], cursor: null })));
      },
    },
    mayGoOn: options.mayGoOn ?? (() => true),
    tasks: given,
    openTasks: count,
    lanes: 4,
    leadingTasks: options.leadingTasks,
  });
  const finish = (done: Task) => {
    open.delete(done.id);
    queue.report([], open.size);
    queue.release(done);
  };
  return { queue, open, reads, finish };
}

Deno.test("next() hands out every open task once, refilling a hundred at a time", async () => {
  const { queue, reads, finish } = setUp(1_000);
  const seen: number[] = [];
  const lane = async () => {
    for (let next = await queue.next(); next !== null; next = await queue.next()) {
      seen.push(next.id);
      await Promise.resolve();
      finish(next);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  assert.equal(seen.length, 1_000);
  assert.equal(new Set(seen).size, 1_000);
  assert.ok(reads.length <= 12, `${reads.length} refills`);
  assert.ok(reads.every((limit) => limit === 100));
  assert.equal(queue.openTasks(), 0);
});

Deno.test("next() asks the database nothing when it was given all there is", async () => {
  const { queue, reads, finish } = setUp(1);
  const only = await queue.next();
  assert.equal(only?.id, 1);
  const idle = queue.next();
  finish(task(1));
  assert.equal(await idle, null);
  assert.equal(reads.length, 0);
});

Deno.test("next() waits for the tasks that a task under way creates", async () => {
  const { queue, open } = setUp(1);
  const first = await queue.next();
  const second = queue.next();
  open.set(2, task(2));
  queue.report([task(2)], 2);
  assert.equal((await second)?.id, 2);
  assert.equal(first?.id, 1);
});

Deno.test("next() does not hand out a task twice when it is reported while being worked on", async () => {
  const { queue } = setUp(2);
  const first = await queue.next();
  const second = await queue.next();
  assert.deepEqual([first?.id, second?.id], [1, 2]);
  queue.report([task(1), task(2)], 2);
  let isHandedOut = false;
  queue.next().then(() => isHandedOut = true);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.equal(isHandedOut, false);
});

Deno.test("next() reads a task again that was given back unfinished", async () => {
  const { queue, open, reads } = setUp(1);
  const first = await queue.next();
  open.set(1, { ...task(1), sequence: 7 });
  if (first !== null) queue.release(first);
  assert.equal((await queue.next())?.sequence, 7);
  assert.equal(reads.length, 1);
});

Deno.test("next() answers null as soon as the work must stop", async () => {
  let isStopped = false;
  const { queue } = setUp(1, { mayGoOn: () => !isStopped });
  await queue.next();
  const waiting = queue.next();
  isStopped = true;
  queue.wake();
  assert.equal(await waiting, null);
  assert.equal(queue.openTasks(), 1);
});

Deno.test("next() ends when the database has fewer tasks than were counted", async () => {
  const { queue, open } = setUp(3, { given: 0 });
  open.clear();
  assert.equal(await queue.next(), null);
  assert.equal(queue.openTasks(), 0);
});

Deno.test("idleLanes() counts the lanes that neither open nor promised tasks will need", async () => {
  const { queue } = setUp(1);
  assert.equal(queue.idleLanes(), 3);
  await queue.next();
  assert.equal(queue.idleLanes(), 3, "a task under way is an open one");
  queue.promise(2);
  assert.equal(queue.idleLanes(), 1);
  queue.report([task(2), task(3)], 3);
  queue.promise(-2);
  assert.equal(queue.idleLanes(), 1);
  queue.report([], 9);
  assert.equal(queue.idleLanes(), 0);
});

Deno.test("tasks that others need are taken before those that came earlier", async () => {
  const { queue } = setUp(2, { leadingTasks: new Set(["leading"]) });
  queue.report([{ ...task(3), kind: "leading" }, { ...task(4), kind: "leading" }], 4);
  const taken = [await queue.next(), await queue.next(), await queue.next(), await queue.next()];
  assert.deepEqual(taken.map((each) => each?.id), [3, 4, 1, 2]);
});
