import type { Tally } from "./steps.ts";

/** A failure is told in so many lines and characters; all of it stands in the output of the tests. */
const MOST_LINES = 12;
const MOST_CHARACTERS = 1_500;

/**
 * Reads the counts and the failures of a JUnit report, as `deno test --junit-path` writes it. What a
 * filter left out, or a test leaves out itself, has not passed.
 */
export function readJunit(xml: string): Tally {
  const head = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const tests = numberOf(head, "tests");
  const failed = numberOf(head, "failures") + numberOf(head, "errors");
  const skipped = xml.match(/<skipped\b/g)?.length ?? 0;
  return { passed: tests - failed - skipped, failed, failures: failuresOf(xml) };
}

function failuresOf(xml: string): string[] {
  const cases = xml.matchAll(/<testcase\b([^>]*)>(.*?)<\/testcase>/gs);
  return [...cases].flatMap(([, attributes = "", body = ""]) => {
    const why = /<(failure|error)\b[^>]*>(.*?)<\/\1>/s.exec(body)?.[2];
    if (why === undefined) return [];
    const where = `${textOf(attributes, "classname")}: ${textOf(attributes, "name")}`;
    return [[where, ...shorten(unescapeXml(why)).map((line) => `    ${line}`)].join("\n")];
  });
}

function shorten(text: string): string[] {
  const lines = text.slice(0, MOST_CHARACTERS).split("\n").filter((line) => line.trim() !== "");
  return lines.slice(0, MOST_LINES);
}

function numberOf(element: string, attribute: string): number {
  return Number(textOf(element, attribute) || 0);
}

function textOf(element: string, attribute: string): string {
  return unescapeXml(new RegExp(`\\b${attribute}="([^"]*)"`).exec(element)?.[1] ?? "");
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescapeXml(text: string): string {
  return text.replace(/&(\w+);/g, (entity, name) => ENTITIES[name] ?? entity);
}
