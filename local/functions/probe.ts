import { z } from "zod";
import { StackError } from "../failure.ts";
import type { RunningFunction } from "./runner.ts";

const Answer = z.object({ code: z.string(), message: z.string() });

/**
 * Asks each function once without credentials. None lets such a caller do anything, but each reads
 * its settings first: a broken one is found now, and told in the function's own words, rather than
 * at the first tick.
 */
export async function probeSettings(functions: readonly RunningFunction[]): Promise<void> {
  await Promise.all(functions.map(async ({ spec, fetch: call }) => {
    const request = new Request(`http://127.0.0.1/${spec.slug}`, { method: "POST" });
    let response = await call(request);
    if (response.status === 405) {
      await response.body?.cancel();
      response = await call(new Request(request.url));
    }
    const answer = Answer.safeParse(parseJson(await response.text()));
    if (response.status === 500 && answer.data?.code === "setting_invalid") {
      throw new StackError(`Cannot start the function "${spec.slug}": ${answer.data.message}`);
    }
  }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever a function answers here besides our error bodies is its own affair.
    return null;
  }
}
