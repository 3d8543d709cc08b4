import { Cron } from "croner";
import { SyncError } from "../errors.ts";

const LONGEST_EXPRESSION = 200;

/**
 * The first time after `after` at which a cron schedule comes due in its time zone, or `null` when it
 * never does. Throws `schedule_invalid` with a sentence that says what is allowed.
 *
 * Daylight saving: a fixed time that the clock skips comes due right after the skipped hour, and one
 * that the clock repeats comes due once; steps such as every 30 minutes go on through both changes.
 */
export function nextCronTime(expression: string, timezone: string, after: Date): Date | null {
  checkTimezone(timezone);
  try {
    return parseExpression(expression, timezone).nextRun(after);
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    throw invalidExpression(expression, cause);
  }
}

function parseExpression(expression: string, timezone: string): Cron {
  if (expression.length > LONGEST_EXPRESSION) {
    throw invalidExpression(`${expression.slice(0, LONGEST_EXPRESSION)}…`);
  }
  // A minute is the finest step the scheduler has: a sixth field (seconds) would promise more.
  return new Cron(expression.trim(), { timezone, paused: true, mode: "5-part" });
}

function checkTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
  } catch (cause) {
    throw new SyncError(
      "schedule_invalid",
      `The time zone "${timezone}" is not known: use an IANA name such as "Europe/Berlin" or "UTC".`,
      { cause },
    );
  }
}

function invalidExpression(expression: string, cause?: unknown): SyncError {
  return new SyncError(
    "schedule_invalid",
    `The cron expression "${expression}" is not valid: it must have five fields (minute, hour, ` +
      'day of month, month, day of week), such as "*/15 8-18 * * MON-FRI".',
    cause === undefined ? {} : { cause },
  );
}
