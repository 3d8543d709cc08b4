import { plainText } from "./plain_text.ts";

/**
 * A problem the person at the terminal can act on. It is shown as one line, without a stack, and
 * ends the command with status 1.
 */
export class StackError extends Error {
  override readonly name: string = "StackError";
}

/** A command line that cannot be understood or obeyed: nothing was begun, and the status is 2. */
export class UsageError extends StackError {
  override readonly name = "UsageError";
}

/** Returns `cause` as one line of text that a terminal may show, whatever was thrown. */
export function oneLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = text.split("\n").map((part) => plainText(part)).find((part) => part !== "");
  return line ?? "unknown error";
}
