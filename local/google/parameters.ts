import { invalidParameter } from "./api_error.ts";

// What every method of the API takes besides its own parameters.
const COMMON = ["alt", "fields", "key", "prettyPrint", "quotaUser", "userIp", "$.xgafv"];

/** The query parameters of one call, checked as Google checks them. */
export class Parameters {
  readonly #values: URLSearchParams;

  /** Throws a 400 for a parameter that the method does not have, or that is given twice. */
  constructor(values: URLSearchParams, allowed: readonly string[]) {
    for (const name of new Set(values.keys())) {
      if (!allowed.includes(name) && !COMMON.includes(name)) {
        throw invalidParameter(name, `Unknown name "${name}": Cannot bind query parameter.`);
      }
      if (values.getAll(name).length > 1) {
        throw invalidParameter(name, `Repeated parameter: ${name}`);
      }
    }
    const alt = values.get("alt") ?? "json";
    if (alt !== "json") throw invalidParameter("alt", `Invalid string value: '${alt}'.`);
    this.#values = values;
  }

  /** A text; `undefined` where it is missing or empty. */
  text(name: string): string | undefined {
    return this.#values.get(name) || undefined;
  }

  /** One of several words. */
  word<Word extends string>(name: string, words: readonly Word[], standard: Word): Word {
    const text = this.text(name) ?? standard;
    const word = words.find((each) => each === text);
    if (word !== undefined) return word;
    throw invalidParameter(
      name,
      `Invalid string value: '${text}'. Allowed values: [${words.join(", ")}]`,
    );
  }

  /** A truth value; by default false. */
  flag(name: string, standard = false): boolean {
    const text = this.#values.get(name);
    if (text === null) return standard;
    if (text === "true" || text === "false") return text === "true";
    throw invalidParameter(name, `Invalid boolean value: '${text}'.`);
  }

  /** A whole number within a range. */
  integer(name: string, range: { min: number; max: number; standard: number }): number {
    const text = this.#values.get(name);
    if (text === null) return range.standard;
    const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (Number.isNaN(value)) throw invalidParameter(name, `Invalid integer value: '${text}'.`);
    if (value >= range.min && value <= range.max) return value;
    throw invalidParameter(
      name,
      `Invalid value '${text}'. Values must be within the range: [${range.min}, ${range.max}]`,
    );
  }
}

const SPACES = ["drive", "appDataFolder", "photos"];

/** Whether the `spaces` parameter names the space that files lie in. */
export function includesDriveSpace(parameters: Parameters): boolean {
  const spaces = (parameters.text("spaces") ?? "drive").split(",").map((space) => space.trim());
  for (const space of spaces) {
    if (!SPACES.includes(space)) {
      throw invalidParameter("spaces", `Invalid value '${space}'. Allowed values: [${SPACES}]`);
    }
  }
  return spaces.includes("drive");
}
