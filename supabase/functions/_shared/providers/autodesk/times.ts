const TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-]\d{2}):?(\d{2}))$/;

/**
 * Writes an instant the one way it is compared and stored: UTC, RFC 3339, its fraction in full and
 * without trailing zeros. Autodesk itself has four ways, even for one field: seven digits of
 * fraction, three or none, and `Z`, `+00:00` or `+0000`.
 *
 * @returns `undefined` for what is no time
 */
export function toTime(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const match = TIME.exec(value);
  if (match === null) return undefined;
  const [, year, month, day, time, fraction = "", hours = "+00", minutes = "00"] = match;
  const date = `${year}-${month}-${day}`;
  const instant = Date.parse(`${date}T${time}${hours}:${minutes}`);
  // Date.parse takes the 30th of February for the 2nd of March.
  if (!Number.isFinite(instant) || !isCalendarDate(date)) return undefined;
  const utc = new Date(instant).toISOString();
  // PostgreSQL has no year 0, and ISO strings of other lengths are no RFC 3339.
  if (utc.length !== 24 || utc.startsWith("0000")) return undefined;
  const digits = fraction.replace(/0+$/, "");
  return `${utc.slice(0, 19)}${digits === "" ? "" : `.${digits}`}Z`;
}

function isCalendarDate(date: string): boolean {
  const instant = Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(instant) && new Date(instant).toISOString().startsWith(date);
}
