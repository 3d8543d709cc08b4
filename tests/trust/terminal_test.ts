/** What other people called their files and endpoints moves no cursor and changes no colour here. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { judge } from "../../local/demo/outcome.ts";
import type { EndpointProgress } from "../../local/demo/progress.ts";
import { progressLine } from "../../local/demo/progress_line.ts";
import { oneLine, StackError } from "../../local/failure.ts";
import { plainJson } from "../../local/plain_text.ts";
import { createTerminal } from "../../local/terminal.ts";
import { createLog } from "../../supabase/functions/_shared/log.ts";
import { readTree } from "../support/source_tree.ts";
import { fromFileUrl } from "../support/source_tree.ts";
import { HOSTILE, hostileText } from "../support/hostile_text.ts";

const text = fc.oneof(
  hostileText,
  fc.array(
    fc.constantFrom(
      "\x1b[31m",
      "\x1b[0m",
      "\x1b]8;;x\x07",
      "\x9b2J",
      "\r",
      "\b",
      "\x7f",
      "\u202e",
      "a",
    ),
    { minLength: 1 },
  ).map((parts) => parts.join("")),
);
const SEED = { numRuns: 500, seed: 20261122 };

/** Whatever a terminal might obey. */
const OBEYED = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/u;

function recorder(isInteractive: boolean) {
  const written: string[] = [];
  const write = (part: string) => void written.push(part);
  const terminal = createTerminal({ isInteractive, columns: () => 80, write, writeError: write });
  return { terminal, written };
}

function endpoint(name: string, message: string): EndpointProgress {
  return {
    id: "one",
    name,
    status: "failed",
    error_code: "scope_not_found",
    error_message: message,
    file_count: 0,
    total_bytes: 0,
    due_in_seconds: null,
    run: { status: "failed", files_seen: 0, files_changed: 0, elapsed_seconds: 1, age_seconds: 1 },
  };
}

Deno.test("the live view shows an endpoint's name and message as text, on one line", () => {
  fc.assert(
    fc.property(text, text, (name, message) => {
      const { terminal } = recorder(false);
      const line = progressLine(endpoint(name, message), terminal);
      assert.doesNotMatch(line, OBEYED);
      assert.ok(!line.includes("\n"));
      const outcome = judge([endpoint(name, message)], ["one"], 60);
      assert.ok(outcome.type === "failed");
      assert.doesNotMatch(outcome.reason, OBEYED);
    }),
    SEED,
  );
});

Deno.test("a terminal obeys its own styles and nothing else that is written to it", () => {
  fc.assert(
    fc.property(text, (outside) => {
      const { terminal, written } = recorder(true);
      terminal.line(outside);
      terminal.error(outside);
      terminal.live([outside]);
      // deno-lint-ignore no-control-regex -- escape sequences begin with one
      const output = written.join("").replaceAll(/\x1b\[(?:1A\x1b\[J|\d+m)/g, "");
      assert.doesNotMatch(output, OBEYED);
      assert.equal(written.at(-1)?.split("\n").length, 2, "the live block has one line");
    }),
    SEED,
  );
  const { terminal, written } = recorder(true);
  terminal.line(terminal.style("green", "fine\x1b[2J"));
  assert.deepEqual(written.join(""), "\x1b[32mfine\uFFFD[2J\x1b[0m\n");
});

Deno.test("an error is one line of text", () => {
  fc.assert(
    fc.property(text, (outside) => assert.doesNotMatch(oneLine(new StackError(outside)), OBEYED)),
    SEED,
  );
});

Deno.test("what programs print for programs, and every line of the logs, says the same without controls", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const now = () => new Date("2026-11-22T10:00:00Z");
  const log = createLog({ level: "debug", function: "sync", write, now });
  fc.assert(
    fc.property(text, (outside) => {
      const printed = plainJson({ name: outside }, 0);
      assert.doesNotMatch(printed, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      assert.deepEqual(JSON.parse(printed), { name: outside });
      log.warn("something_happened", { [`field ${outside}`]: 1, cause: new Error(outside) });
      assert.doesNotMatch(lines.at(-1) ?? "", /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
    SEED,
  );
  for (const name of HOSTILE) {
    log.info("something_happened", { name });
    assert.equal(JSON.parse(lines.at(-1) ?? "").name, name);
  }
});

/** Files whose writing to the process's own output is not the terminal's, and why that is harmless. */
const WRITERS: Readonly<Record<string, string>> = {
  "local/terminal.ts": "the terminal itself",
  "local/google/main.ts": "plain JSON",
  "local/autodesk/main.ts": "plain JSON",
  "local/functions/serve.ts": "read by its starter, which writes it to a file",
  "scripts/endpoint_add.ts": "asks only whether there is a terminal",
  "scripts/test_command.ts": "the output of the tests, passed on",
  "scripts/test_output.ts": "the same",
  "bench/programs/output.ts": "read by the benchmark",
};

Deno.test("nothing of the commands writes past the terminal, but what is known to be harmless", async () => {
  const root = fromFileUrl(new URL("../../", import.meta.url));
  const files = [
    ...await readTree(root, "local/", ".ts"),
    ...await readTree(root, "scripts/", ".ts"),
    ...await readTree(root, "bench/", ".ts"),
  ];
  const writing = /\b(?:Deno|process)\.(?:stdout|stderr)\b|\bconsole\.\w+\((?![^)]*\)")/;
  const found = files.filter(({ text }) => writing.test(text.replaceAll(/[`"][^`"\n]*[`"]/g, "")))
    .map(({ path }) => path);
  assert.deepEqual(found.sort(), Object.keys(WRITERS).sort());
});
