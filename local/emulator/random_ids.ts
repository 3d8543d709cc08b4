const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-abcdefghijklmnopqrstuvwxyz";

/** Spreads the bits of a 32-bit number; equal input gives equal output. */
export function mix32(value: number): number {
  let mixed = (value + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** A 32-bit hash (FNV-1a) of a text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** `length` characters of Drive's id alphabet, decided by `seed` and `serial` alone. */
export function idText(seed: number, serial: number, length: number): string {
  let text = "";
  let state = mix32(seed ^ mix32(serial));
  while (text.length < length) {
    state = mix32(state + serial + text.length);
    for (let bits = state, taken = 0; taken < 5 && text.length < length; taken++, bits >>>= 6) {
      text += ALPHABET[bits & 63];
    }
  }
  return text;
}

const HEX_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** `length` hexadecimal digits, decided by the two numbers alone: stands for a checksum. */
export function hexText(first: number, second: number, length: number): string {
  let text = "";
  let state = mix32(first ^ mix32(second));
  while (text.length < length) {
    state = mix32(state + second + text.length);
    for (let shift = 0; shift < 32; shift += 8) text += HEX_BYTES[(state >>> shift) & 255];
  }
  return text.slice(0, length);
}

/** A repeatable source of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 1) >>> 0;
    return mix32(mix32(seed) ^ state) / 0x1_0000_0000;
  };
}
