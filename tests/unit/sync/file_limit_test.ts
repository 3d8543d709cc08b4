import assert from "node:assert/strict";
import {
  createFileLimit,
  type FileLimitOptions,
} from "../../../supabase/functions/_shared/sync/file_limit.ts";

function limitOf(overrides: Partial<FileLimitOptions>) {
  return createFileLimit({
    maxFiles: 1000,
    filesSeen: 0,
    maxPageSize: 1000,
    parallelPages: () => 1,
    ...overrides,
  });
}

/** Reads pages full of files one after the other; returns their sizes. */
async function readFull(overrides: Partial<FileLimitOptions>): Promise<number[]> {
  const limit = limitOf(overrides);
  const sizes: number[] = [];
  for (let grant = await limit.grant(); grant !== null; grant = await limit.grant()) {
    sizes.push(grant.pageSize);
    grant.settle(grant.pageSize, true);
  }
  assert.equal(limit.isReached(), true);
  return sizes;
}

Deno.test("createFileLimit() fills the bound with equal pages", async () => {
  assert.deepEqual(await readFull({ maxFiles: 1000 }), [1000]);
  assert.deepEqual(await readFull({ maxFiles: 1500 }), [750, 750]);
  assert.deepEqual(await readFull({ maxFiles: 7 }), [7]);
  assert.deepEqual(await readFull({ maxFiles: 2500 }), [833, 833, 833, 1]);
});

Deno.test("createFileLimit() counts what earlier slices of the run have seen", async () => {
  assert.deepEqual(await readFull({ maxFiles: 1500, filesSeen: 750 }), [750]);
  assert.deepEqual(await readFull({ maxFiles: 1500, filesSeen: 1500 }), []);
  assert.deepEqual(await readFull({ maxFiles: 0 }), []);
});

Deno.test("createFileLimit() without a bound grants the largest page for ever", async () => {
  const limit = limitOf({ maxFiles: null });
  for (let page = 0; page < 50; page++) {
    const grant = await limit.grant();
    assert.equal(grant?.pageSize, 1000);
    grant?.settle(1000, true);
  }
  assert.equal(limit.isReached(), false);
});

Deno.test("createFileLimit() divides the bound among pages read together", async () => {
  const limit = limitOf({ parallelPages: () => 4 });
  const grants = await Promise.all([1, 2, 3, 4].map(() => limit.grant()));
  assert.deepEqual(grants.map((grant) => grant?.pageSize), [250, 250, 250, 250]);
});

Deno.test("createFileLimit() makes a page wait for what those under way leave over", async () => {
  const limit = limitOf({});
  const first = await limit.grant();
  const second = limit.grant();
  first?.settle(400, true);
  assert.equal((await second)?.pageSize, 600);
});

Deno.test("createFileLimit() never grants more than the bound, however pages turn out", async () => {
  const limit = limitOf({ maxFiles: 997, maxPageSize: 100, parallelPages: () => 8 });
  let seen = 0;
  let random = 1;
  const lane = async () => {
    for (let grant = await limit.grant(); grant !== null; grant = await limit.grant()) {
      random = (random * 16_807) % 2_147_483_647;
      const files = random % (grant.pageSize + 1);
      await Promise.resolve();
      seen += files;
      grant.settle(files, true);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  assert.ok(seen <= 997, `${seen} files`);
  assert.ok(seen >= 900, `${seen} files`);
});

Deno.test("createFileLimit() gives up after a few cut pages rather than ask for crumbs", async () => {
  const limit = limitOf({});
  (await limit.grant())?.settle(990, true);
  let pages = 0;
  for (let grant = await limit.grant(); grant !== null; grant = await limit.grant()) {
    pages += 1;
    grant.settle(0, true);
  }
  assert.equal(pages, 4);
});

Deno.test("createFileLimit() says how many full pages are left", async () => {
  const limit = limitOf({ maxFiles: 2_500 });
  assert.equal(limit.fullPagesLeft(), 2);
  const grant = await limit.grant();
  assert.equal(limit.fullPagesLeft(), 1);
  grant?.settle(0, true);
  assert.equal(limit.fullPagesLeft(), 2);
  assert.equal(limitOf({ maxFiles: null }).fullPagesLeft(), Infinity);
});
