import { z } from "zod";
import type { Provider } from "../../providers/types.ts";

/** The engine's own key of `endpoint_config`, beside those of the provider. */
const ENGINE_KEY = "auth";

const MOST_NAMED = 10;
const LONGEST_NAME = 40;

const Stored = z.record(z.string(), z.unknown());

/**
 * What the check of a configuration that can be read says: also which keys nobody reads, as one that
 * is misspelt widens the scope, and what is synced where the configuration names nothing.
 */
export function describeConfig<Config>(
  provider: Pick<Provider<Config>, "configKeys" | "describeWholeScope">,
  stored: unknown,
  config: Config,
): string {
  const sentences = ["endpoint_config can be read."];
  const unused = unusedKeys(provider.configKeys, stored);
  if (unused.length > 0) {
    const named = unused.slice(0, MOST_NAMED).map(showKey).join(", ");
    const more = unused.length > MOST_NAMED ? ` and ${unused.length - MOST_NAMED} more` : "";
    sentences.push(`Keys of it that are not used: ${named}${more} (misspelt?).`);
  }
  const whole = provider.describeWholeScope?.(config) ?? null;
  if (whole !== null) sentences.push(whole);
  return sentences.join(" ");
}

function unusedKeys(known: readonly string[], stored: unknown): string[] {
  const keys = Object.keys(Stored.safeParse(stored).data ?? {});
  return keys.filter((key) => key !== ENGINE_KEY && !known.includes(key));
}

function showKey(key: string): string {
  return JSON.stringify(key.length > LONGEST_NAME ? `${key.slice(0, LONGEST_NAME)}…` : key);
}
