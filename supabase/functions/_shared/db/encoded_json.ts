/**
 * A value as JSON text already. What waits for its turn in this form costs the garbage collector
 * nothing, while the objects it was made of are gone.
 */
export class EncodedJson {
  readonly text: string;

  constructor(value: unknown) {
    this.text = JSON.stringify(value);
  }
}

/**
 * The JSON of `outer` with one more member, at the end of its last member, which is an object that
 * holds something already: `{"a":1,"b":{"c":2}}` becomes `{"a":1,"b":{"c":2,"name":…}}`.
 */
export function encodeWithin(outer: object, name: string, inner: EncodedJson): string {
  return `${JSON.stringify(outer).slice(0, -2)},${JSON.stringify(name)}:${inner.text}}}`;
}
