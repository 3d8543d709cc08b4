import assert from "node:assert/strict";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { addDrive, createTestEngine } from "../../support/engine.ts";
import { onePart, type Script, scriptedFiles } from "../../support/scripted_provider.ts";

Deno.test("max_files_per_sync is never exceeded and, where there are files enough, filled", async () => {
  const script: Script = { drives: new Map(), limits: { maxPageSize: 10 } };
  const engine = createTestEngine(script);
  const endpoint = addDrive(engine, 100, { max_files_per_sync: 25 });
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.files.size, 25);
  assert.equal(endpoint.outcomes[0]?.type, "limit_reached");
  assert.equal(endpoint.status, "partial");
  const sizes: number[] = [];
  for (let run = 0; run < 3; run++) {
    await workLeases([engine.db.lease(endpoint)], engine.deps);
    sizes.push(endpoint.files.size);
  }
  assert.deepEqual(sizes, [50, 75, 100]);
});

Deno.test("max_files_per_sync holds across tasks read in parallel", async () => {
  const script: Script = { drives: new Map(), limits: { maxPageSize: 10 } };
  const engine = createTestEngine(script);
  const endpoint = engine.db.add({ max_files_per_sync: 31 });
  const parts = Array.from({ length: 8 }, (_, n) => [`p${n}`, scriptedFiles(40, `p${n}`)] as const);
  script.drives.set(endpoint.id, new Map(parts));
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.ok(endpoint.files.size <= 31 && endpoint.files.size >= 28, `${endpoint.files.size}`);
  assert.equal(endpoint.outcomes[0]?.type, "limit_reached");
});

Deno.test("a drive that fits its bound exactly is done, not partial", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 20, { max_files_per_sync: 20 });
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.status, "completed");
});

Deno.test("the bound of a run holds across its slices", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 100, { max_files_per_sync: 40 });
  let commits = 0;
  engine.db.intercept = (method) => {
    if (method === "commitPage" && ++commits === 2) engine.clock.advance(60_000);
    return Promise.resolve();
  };
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.outcomes[0]?.type, "continue");
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.outcomes[1]?.type, "limit_reached");
  assert.equal(endpoint.files.size, 40);
});

Deno.test("files that file_types excludes are reported as filtered, not written", async () => {
  const engine = createTestEngine();
  const endpoint = engine.db.add({ file_types: [".PDF"] });
  const [pdf, txt] = scriptedFiles(2, "f");
  assert.ok(pdf && txt);
  engine.script.drives.set(
    endpoint.id,
    onePart([{ ...pdf, file_name: "a.pdf", file_type: "pdf" }, txt]),
  );
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.deepEqual([...endpoint.files.keys()], [pdf.external_file_id]);
  assert.deepEqual([...endpoint.filtered], [txt.external_file_id]);
});
