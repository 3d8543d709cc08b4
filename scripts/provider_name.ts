import { UsageError } from "../local/failure.ts";

/** One name in the spellings that the different places need. */
export interface ProviderName {
  /** As in `endpoints.endpoint_type`: `acme_files`. */
  readonly key: string;
  /** As in the function's slug, after `sync-`: `acme-files`. */
  readonly hyphened: string;
  /** `acmeFiles`. */
  readonly camel: string;
  /** `AcmeFiles`. */
  readonly pascal: string;
  /** As in the settings: `ACME_FILES`. */
  readonly upper: string;
  /** For people: `Acme Files`. */
  readonly display: string;
}

/** The name that the template is written with. */
const TEMPLATE_NAME = toProviderName("acme_files");

/** Spells a name; throws where the database, a function's slug or a setting could not have it. */
export function toProviderName(key: string): ProviderName {
  // The database allows 63 characters; a function's slug with sync- before it wants fewer.
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(key) || key.length > 40) {
    throw new UsageError(
      "Cannot name a provider so: a name is lower-case letters, digits and single underscores, " +
        `begins with a letter and has at most 40 characters, such as acme_files: current value is "${key}"`,
    );
  }
  const words = key.split("_");
  const pascal = words.map(capitalized).join("");
  return {
    key,
    hyphened: words.join("-"),
    camel: `${words[0] ?? ""}${words.slice(1).map(capitalized).join("")}`,
    pascal,
    upper: key.toUpperCase(),
    display: words.map(capitalized).join(" "),
  };
}

/** The template's text with the new name in place of its own. */
export function renamed(text: string, name: ProviderName): string {
  const spellings = ["key", "hyphened", "camel", "pascal", "upper", "display"] as const;
  return spellings.reduce(
    (result, spelling) => result.replaceAll(TEMPLATE_NAME[spelling], name[spelling]),
    text,
  );
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
