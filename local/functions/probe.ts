import { z } from "zod";
import { StackError } from "../failure.ts";
import type { Settings } from "./environment.ts";
import type { RunningFunction } from "./runner.ts";

const Answer = z.object({ code: z.string(), message: z.string() });
const SETTING_NAME = /\bCONNECTOR_[A-Z0-9_]+/g;

/** What {@linkcode probeSettings} asks about. */
export interface ProbeOptions {
  readonly functions: readonly RunningFunction[];
  readonly settings: Settings;
  /** Opens every function; who has none is not told of a setting. */
  readonly secretKey: string;
  /** Told of a function that cannot work because a setting was never given. */
  readonly onMissing: (message: string) => void;
}

/**
 * Sends each function a request that it cannot read: none does anything with it, but each reads its
 * settings first. So a broken one is found now, and told in the function's own words, rather than at
 * the first tick. A setting that nobody gave stops its function alone: a stack without a Google
 * account is a stack all the same.
 */
export async function probeSettings(options: ProbeOptions): Promise<void> {
  await Promise.all(options.functions.map(async (target) => {
    const complaint = await complaintOf(target, options.secretKey);
    if (complaint === null) return;
    const names = complaint.match(SETTING_NAME) ?? [];
    const isGiven = names.some((name) => (options.settings[name] ?? "") !== "");
    const { slug } = target.spec;
    if (isGiven) throw new StackError(`Cannot start the function "${slug}": ${complaint}`);
    options.onMissing(`function ${slug} waits for a setting: ${complaint}`);
  }));
}

/** What a function has to say about its settings; null when it has nothing against them. */
async function complaintOf(
  { spec, fetch: call }: RunningFunction,
  secretKey: string,
): Promise<string | null> {
  const url = `http://127.0.0.1/${spec.slug}`;
  const headers = { apikey: secretKey };
  let response = await call(new Request(url, { method: "POST", headers, body: "no JSON" }));
  if (response.status === 405) {
    await response.body?.cancel();
    response = await call(new Request(url, { headers }));
  }
  const answer = Answer.safeParse(parseJson(await response.text()));
  const isComplaint = response.status === 500 && answer.data?.code === "setting_invalid";
  return isComplaint ? answer.data?.message ?? "" : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever a function answers here besides our error bodies is its own affair.
    return null;
  }
}
