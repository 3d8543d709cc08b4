import { refusal, RestFailure } from "./failure.ts";

/** What the `Prefer` header asks for. https://docs.postgrest.org/en/stable/references/api/preferences.html */
export interface Preferences {
  readonly representation: "full" | "headers" | "none";
  readonly countsExactly: boolean;
  readonly resolution: "merge" | "ignore" | null;
  readonly appliesDefaults: boolean;
  /** The largest number of rows a request may change, where the caller set one. */
  readonly maxAffected: number | null;
  /** The preferences that were heeded, for `Preference-Applied`. */
  readonly applied: readonly string[];
}

const KNOWN: ReadonlySet<string> = new Set([
  "return=representation",
  "return=headers-only",
  "return=minimal",
  "count=exact",
  "resolution=merge-duplicates",
  "resolution=ignore-duplicates",
  "missing=default",
  "missing=null",
  "handling=strict",
  "handling=lenient",
]);

const REFUSED: ReadonlySet<string> = new Set(["count=planned", "count=estimated"]);

/** Reads the `Prefer` header. Of two values for one preference the first holds. */
export function parsePreferences(header: string | null): Preferences {
  const given = (header ?? "").split(",").map((item) => item.trim()).filter((item) => item !== "");
  const values = new Map<string, string>();
  for (const item of given) {
    const [name = "", value = ""] = item.split("=", 2);
    if (!values.has(name)) values.set(name, value);
    if (REFUSED.has(item)) throw refusal(`the preference ${item}`);
    if (name === "timezone") throw refusal("the preference timezone");
  }
  const isStrict = values.get("handling") === "strict";
  if (isStrict) refuseUnknown(given);
  const maxAffected = isStrict ? wholeNumber(values.get("max-affected")) : null;
  return {
    representation: representationOf(values.get("return")),
    countsExactly: values.get("count") === "exact",
    resolution: resolutionOf(values.get("resolution")),
    appliesDefaults: values.get("missing") === "default",
    maxAffected,
    applied: given.filter((item) =>
      KNOWN.has(item) || (maxAffected !== null && item.startsWith("max-affected="))
    ),
  };
}

function refuseUnknown(given: readonly string[]): void {
  const unknown = given.filter((item) => !KNOWN.has(item) && !/^max-affected=\d+$/.test(item));
  if (unknown.length === 0) return;
  throw new RestFailure(400, "PGRST122", "Invalid preferences given with handling=strict", {
    details: `Invalid preferences: ${unknown.join(", ")}`,
  });
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

function representationOf(value: string | undefined): Preferences["representation"] {
  if (value === "representation") return "full";
  return value === "headers-only" ? "headers" : "none";
}

function resolutionOf(value: string | undefined): Preferences["resolution"] {
  if (value === "merge-duplicates") return "merge";
  return value === "ignore-duplicates" ? "ignore" : null;
}
