/**
 * Text as a terminal may show it: on one line, and without what would move its cursor, change its
 * colours or turn the direction of writing. Names and messages come from other people's systems.
 */
export function plainText(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD").trim();
}

/** JSON for a program, which a terminal may show as well: nothing in it is a control character. */
export function plainJson(value: unknown, indentation = 2): string {
  const text = JSON.stringify(value, null, indentation);
  return text.replaceAll(
    /[\u007F-\u009F\u2028\u2029\p{Cf}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}
