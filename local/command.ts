import { oneLine, StackError, UsageError } from "./failure.ts";
import { createTerminal } from "./terminal.ts";

/** Status of what was asked for and did not come about. */
const FAILED = 1;
/** Status of wrong use. */
const UNUSABLE = 2;

/**
 * Runs a command to its exit status. A failure is one line on standard error and status 1, wrong use
 * status 2; only a failure that nobody foresaw, or CONNECTOR_LOG_LEVEL=debug, shows a stack as well.
 */
export async function runCommandLine(command: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await command());
  } catch (cause) {
    const terminal = createTerminal();
    terminal.error(`error: ${oneLine(cause)}`);
    const isForeseen = cause instanceof StackError;
    if (Deno.env.get("CONNECTOR_LOG_LEVEL") === "debug" || !isForeseen) {
      terminal.error(stackOf(cause));
    }
    Deno.exit(cause instanceof UsageError ? UNUSABLE : FAILED);
  }
}

function stackOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  const below = cause.cause === undefined ? "" : `\ncaused by: ${stackOf(cause.cause)}`;
  return `${cause.stack ?? cause.message}${below}`;
}
