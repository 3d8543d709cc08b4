import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Returns a function that collects garbage and answers the bytes of the heap that are in use. */
export function createHeapProbe(): () => number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") {
    throw new Error("Cannot measure memory: the engine does not let its garbage be collected");
  }
  return () => {
    collect();
    return Deno.memoryUsage().heapUsed;
  };
}
