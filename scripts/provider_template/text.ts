/**
 * Returns `value` as PostgreSQL can store it: neither `text` nor `jsonb` takes U+0000 or half of a
 * surrogate pair, and names come from many programs. Each becomes U+FFFD.
 */
export function toStorableText(value: string): string {
  const wellFormed = value.isWellFormed() ? value : value.toWellFormed();
  return wellFormed.replaceAll("\0", "\uFFFD");
}

const LONGEST_SHOWN_VALUE = 100;

/** Renders a value for the end of an error message, cut where it grows too long to read. */
export function showValue(value: unknown): string {
  const rendered = toStorableText(JSON.stringify(value) ?? String(value));
  if (rendered.length <= LONGEST_SHOWN_VALUE) return rendered;
  return `${toStorableText(rendered.slice(0, LONGEST_SHOWN_VALUE))}…`;
}
