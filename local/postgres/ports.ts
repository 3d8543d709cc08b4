/** Free TCP ports of the loopback address. */

// Below the range the system hands out for outgoing connections, which would race for the port.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Tells whether nothing listens on `port` of 127.0.0.1. */
export function isPortFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AddrInUse) return false;
    throw cause;
  }
}

/** Returns a port of 127.0.0.1 that is free now; someone may still take it first. */
export function pickFreePort(): number {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (isPortFree(port)) return port;
  }
  throw new Error(`Cannot find a free port between ${LOWEST} and ${HIGHEST}`);
}
