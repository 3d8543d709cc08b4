import type { SyncError } from "../../errors.ts";

/** An amount of something. */
export function count(amount: number, thing: string): string {
  return `${amount} ${thing}${amount === 1 ? "" : "s"}`;
}

/** A failure's own words; a wait that was asked for is named. */
export function sentence({ message, retryAfterMs }: SyncError): string {
  const text = /[.!?]$/.test(message) ? message : `${message}.`;
  if (retryAfterMs === undefined || retryAfterMs < 1000) return text;
  return `${text} It asks to wait ${count(Math.ceil(retryAfterMs / 1000), "second")}.`;
}
