const LONGEST_MS = 24 * 60 * 60 * 1000;

/** Reads `Retry-After`, in seconds or as a date, as options of a `SyncError`; empty without one. */
export function retryAfterMs(headers: Headers, now: Date): { readonly retryAfterMs?: number } {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(value)) return { retryAfterMs: Math.min(Number(value) * 1000, LONGEST_MS) };
  const waitMs = Date.parse(value) - now.getTime();
  return Number.isFinite(waitMs) ? { retryAfterMs: Math.min(Math.max(0, waitMs), LONGEST_MS) } : {};
}
