/** Names for the tables of cases, whichever the provider. */

/** A name, and what is odd about it. */
export type OddName = readonly [what: string, name: string];

/** Names that a path, a query or a table might stumble over. */
export const ODD_NAMES: readonly OddName[] = [
  ["a slash", "a/b.txt"],
  ["a backslash before a slash", "a\\/b.txt"],
  ["a line break", "line\nbreak\r\n.txt"],
  ["emoji", "👩‍🚀🏳️‍🌈.txt"],
  ["255 characters", "x".repeat(251) + ".txt"],
  ["255 characters of four bytes", "𝕏".repeat(251) + ".txt"],
  ["quotes and signs of SQL", "'; drop table files; --\"%_$1.txt"],
  ["dots alone", ".."],
  ["spaces alone", "   "],
  ["right-to-left letters", "קובץ\u202Egpj.txt"],
  ["decomposed letters", "e\u0301.txt"],
];

/** A name as it stands in a path. */
export function escapeName(name: string): string {
  return name.replace(/[\\/]/g, "\\$&");
}
