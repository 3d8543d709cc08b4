import type { Tally } from "./steps.ts";

/**
 * Reads the counts of a JUnit report, as `deno test --junit-path` writes it. What a filter left out, or
 * a test leaves out itself, has not passed.
 */
export function readJunit(xml: string): Tally {
  const head = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const tests = numberOf(head, "tests");
  const failed = numberOf(head, "failures") + numberOf(head, "errors");
  const skipped = xml.match(/<skipped\b/g)?.length ?? 0;
  return { passed: tests - failed - skipped, failed };
}

function numberOf(element: string, attribute: string): number {
  return Number(new RegExp(`\\b${attribute}="(\\d+)"`).exec(element)?.[1] ?? 0);
}
