import { oneLine, StackError } from "./failure.ts";
import { createTerminal } from "./terminal.ts";

/**
 * Runs a command to its exit status. A failure is one line on standard error and status 1; only one
 * that nobody foresaw, or CONNECTOR_LOG_LEVEL=debug, shows a stack as well.
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
    Deno.exit(1);
  }
}

function stackOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  const below = cause.cause === undefined ? "" : `\ncaused by: ${stackOf(cause.cause)}`;
  return `${cause.stack ?? cause.message}${below}`;
}
