/** When a job of pg_cron is due. */

import { Cron } from "croner";

/** A schedule as pg_cron knows them; cron times are UTC. */
export type Schedule =
  | { readonly type: "seconds"; readonly seconds: number }
  | { readonly type: "cron"; readonly matches: (minute: Date) => boolean };

const MACROS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Reads a schedule that the database has checked. */
export function parseSchedule(text: string): Schedule {
  const trimmed = text.trim().toLowerCase();
  const seconds = trimmed.match(/^(\d{1,2}) seconds?$/)?.[1];
  if (seconds !== undefined) return { type: "seconds", seconds: Number(seconds) };
  const fields = (MACROS[trimmed] ?? trimmed).split(/\s+/);
  // pg_cron writes the last day of a month as $, croner as L.
  const pattern = fields.map((field) => field === "$" ? "L" : field).join(" ");
  const cron = new Cron(pattern, { timezone: "UTC", paused: true, mode: "5-part" });
  return { type: "cron", matches: (minute) => cron.match(minute) };
}
