/**
 * A value as JSON already, in the bytes that are sent. What waits for its turn in this form costs the
 * garbage collector nothing, while the objects it was made of are gone.
 */
export class EncodedJson {
  readonly bytes: Uint8Array;

  constructor(value: unknown) {
    this.bytes = new TextEncoder().encode(JSON.stringify(value));
  }
}

/**
 * The JSON of `outer` with one more member, at the end of its last member, which is an object that
 * holds something already: `{"a":1,"b":{"c":2}}` becomes `{"a":1,"b":{"c":2,"name":…}}`.
 */
export function encodeWithin(outer: object, name: string, inner: EncodedJson): BodyInit {
  const text = JSON.stringify(outer);
  const encoder = new TextEncoder();
  const head = encoder.encode(`${text.slice(0, -2)},${JSON.stringify(name)}:`);
  const bytes = new Uint8Array(head.length + inner.bytes.length + 2);
  bytes.set(head);
  bytes.set(inner.bytes, head.length);
  bytes.set(encoder.encode("}}"), head.length + inner.bytes.length);
  return bytes;
}
