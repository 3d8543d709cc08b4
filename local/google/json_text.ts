/** A part of an answer that is JSON already. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The JSON of an answer, of which the fields may be JSON already. */
export function encodeAnswer(body: unknown): string {
  if (typeof body !== "object" || body === null) return JSON.stringify(body);
  const fields = Object.entries(body);
  if (!fields.some(([, value]) => value instanceof JsonText)) return JSON.stringify(body);
  const members = fields.filter(([, value]) => value !== undefined).map(([name, value]) =>
    `${JSON.stringify(name)}:${value instanceof JsonText ? value.text : JSON.stringify(value)}`
  );
  return `{${members.join(",")}}`;
}
