import { z } from "zod";
import type { Style, Terminal } from "../local/terminal.ts";
import { plainJson, plainText } from "../local/plain_text.ts";

/** What the function test-endpoint answers. */
export const TestReport = z.object({
  endpoint_type: z.string(),
  ok: z.boolean(),
  checks: z.array(z.object({
    name: z.string(),
    result: z.enum(["pass", "fail", "skipped"]),
    message: z.string(),
    took_ms: z.number(),
  })).min(1),
});

/** The answer of the function test-endpoint. */
export type TestReport = z.infer<typeof TestReport>;

const MARKS: Readonly<Record<TestReport["checks"][number]["result"], readonly [string, Style]>> = {
  pass: ["✓", "green"],
  fail: ["✗", "red"],
  skipped: ["–", "dim"],
};

/** Prints the answer, as a table or as JSON. */
export function printReport(report: TestReport, isJson: boolean, terminal: Terminal): void {
  if (isJson) {
    terminal.line(plainJson(report));
    return;
  }
  const checks = report.checks.map((check) => ({ ...check, name: plainText(check.name) }));
  const width = Math.max(...checks.map(({ name }) => name.length));
  const times = checks.map(({ took_ms }) => took_ms > 0 ? `${Math.round(took_ms)} ms` : "");
  const timeWidth = Math.max(...times.map((time) => time.length));
  checks.forEach(({ name, result, message }, index) => {
    const [mark, style] = MARKS[result];
    const time = terminal.style("dim", (times[index] ?? "").padStart(timeWidth));
    const start = `${terminal.style(style, mark)} ${name.padEnd(width)}  ${time}`;
    terminal.line(`${start}  ${plainText(message)}`);
  });
  terminal.line();
  terminal.line(terminal.style(report.ok ? "green" : "red", summary(report)));
}

function summary({ endpoint_type, ok, checks }: TestReport): string {
  const amount = (wanted: string) => checks.filter(({ result }) => result === wanted).length;
  const [passed, failed, skipped] = [amount("pass"), amount("fail"), amount("skipped")];
  const rest = skipped > 0 ? `, ${skipped} not looked at` : "";
  return ok
    ? `${plainText(endpoint_type)}: ${passed} checks passed${rest}`
    : `${plainText(endpoint_type)}: ${passed} checks passed, ${failed} failed${rest}`;
}
