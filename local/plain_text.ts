/**
 * Text as a terminal may show it. Names and messages come from other people's systems: what would
 * move a cursor, change colours or turn the direction of writing does not get through.
 */

/** Controls of all kinds, and what formats invisibly: both belong to whoever owns the terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** The same, but for what ends a line or indents it. */
const UNPRINTABLE_IN_BLOCK = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One value, on one line. */
export function plainText(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(UNPRINTABLE, "\uFFFD").trim();
}

/** A text of several lines, such as a stack. */
export function plainBlock(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(UNPRINTABLE_IN_BLOCK, "\uFFFD");
}

/** JSON for a program, which a terminal may show as well: nothing in it is a control character. */
export function plainJson(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent);
  return text.replaceAll(
    /[\u007F-\u009F\u2028\u2029\p{Cf}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}
