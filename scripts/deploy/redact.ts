/** Shorter values (`info`, `10`) are no secrets, and hiding them would make messages unreadable. */
const SHORTEST_SECRET = 8;

/** Returns a function that hides these values, as they are and as JSON writes them, in any text. */
export function createRedactor(values: readonly string[]): (text: string) => string {
  const hidden = [...new Set(values.flatMap(formsOf))]
    .filter((value) => value.length >= SHORTEST_SECRET)
    // A value that holds another one goes first, so that no rest of it stays.
    .sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((shown, value) => shown.replaceAll(value, "[secret]"), text);
}

function formsOf(value: string): string[] {
  return [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
}
