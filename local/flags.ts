import { parseArgs, type ParseArgsConfig } from "node:util";
import { oneLine, UsageError } from "./failure.ts";

/** Parses the flags of a command; an unknown or malformed one is a {@linkcode UsageError}. */
export function parseFlags<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new UsageError(`${oneLine(cause)} (see --help)`, { cause });
  }
}

/** Reads the value of a flag as a whole number between two bounds; undefined stays undefined. */
export function wholeNumber(
  flag: string,
  value: string | undefined,
  lowest: number,
  highest: number,
): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (number >= lowest && number <= highest) return number;
  throw new UsageError(
    `Cannot use --${flag} as it must be a whole number from ${lowest} to ${highest}: current value is "${value}"`,
  );
}
