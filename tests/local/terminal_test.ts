import assert from "node:assert/strict";
import { createTerminal } from "../../local/terminal.ts";

function recorder(isInteractive: boolean) {
  let written = "";
  const terminal = createTerminal({
    isInteractive,
    columns: () => 40,
    write: (text) => {
      written += text;
    },
    writeError: () => {},
  });
  return { terminal, written: () => written };
}

Deno.test("live() writes only changed lines, and no escape sequence, where there is no terminal", () => {
  const { terminal, written } = recorder(false);
  terminal.live(["a 1", "b 1"]);
  terminal.live(["a 1", "b 2"]);
  terminal.line(terminal.style("red", "done"));
  assert.equal(written(), "a 1\nb 1\nb 2\ndone\n");
});

Deno.test("live() redraws in place on a terminal and never lets a line wrap", () => {
  const { terminal, written } = recorder(true);
  terminal.live([terminal.style("green", "x".repeat(100))]);
  terminal.live(["next"]);
  assert.equal(written(), `\x1b[32m${"x".repeat(39)}\x1b[0m\n\x1b[1A\x1b[Jnext\n`);
});

Deno.test("line() on a terminal goes above the live block", () => {
  const { terminal, written } = recorder(true);
  terminal.live(["block"]);
  terminal.line("kept");
  assert.equal(written(), "block\n\x1b[1A\x1b[Jkept\nblock\n");
});
