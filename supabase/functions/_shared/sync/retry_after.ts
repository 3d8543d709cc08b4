/**
 * Reads a `Retry-After` header, in seconds or as an HTTP date, as milliseconds from `now`; `null`
 * where it is absent or means nothing. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(headers: Headers, now: Date): number | null {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined || value === "") return null;
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, LONGEST_MS);
  // A date without letters would be a number that Date reads as a year.
  const instant = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(instant)) return null;
  return Math.min(Math.max(0, instant - now.getTime()), LONGEST_MS);
}

/** A provider that asks for more than a day is asked again after a day. */
const LONGEST_MS = 24 * 60 * 60 * 1000;
