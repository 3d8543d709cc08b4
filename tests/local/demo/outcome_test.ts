import assert from "node:assert/strict";
import { judge } from "../../../local/demo/outcome.ts";
import type { EndpointProgress } from "../../../local/demo/progress.ts";

type Run = NonNullable<EndpointProgress["run"]>;

function endpoint(run: Partial<Run> | null, overrides: Partial<EndpointProgress> = {}) {
  const defaults = { status: "completed", files_seen: 2, files_changed: 2, elapsed_seconds: 1 };
  return {
    id: "demo",
    name: "Demo",
    status: "completed",
    error_code: null,
    error_message: null,
    file_count: 2,
    total_bytes: 10,
    due_in_seconds: 60,
    run: run === null ? null : { ...defaults, age_seconds: 1, ...run },
    ...overrides,
  };
}

Deno.test("judge() waits for a run, and for the end of it", () => {
  assert.equal(judge([], ["demo"], 10).type, "waiting");
  assert.equal(judge([endpoint(null)], ["demo"], 10).type, "waiting");
  assert.equal(judge([endpoint({ status: "running" })], ["demo"], 10).type, "waiting");
  assert.equal(judge([endpoint({})], ["demo"], 10).type, "completed");
});

Deno.test("judge() does not take the run of an earlier start for one of this", () => {
  assert.equal(judge([endpoint({ age_seconds: 3600 })], ["demo"], 10).type, "waiting");
  const failed = endpoint({ age_seconds: 3600, status: "failed" }, { status: "failed" });
  assert.equal(judge([failed], ["demo"], 10).type, "waiting");
});

Deno.test("judge() gives the endpoint's own reason for a failure, and looks at demo endpoints alone", () => {
  const failed = endpoint({ status: "needs_attention" }, {
    status: "needs_attention",
    error_code: "scope_not_found",
    error_message: "Share the folder.",
  });
  assert.deepEqual(judge([failed], ["demo"], 10), {
    type: "failed",
    reason: 'The sync of "Demo" failed: scope_not_found: Share the folder.',
  });
  const others = [endpoint({}), { ...failed, id: "other" }];
  assert.equal(judge(others, ["demo"], 10).type, "completed");
});
