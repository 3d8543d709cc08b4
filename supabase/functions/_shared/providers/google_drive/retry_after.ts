const LONGEST_MS = 24 * 60 * 60 * 1000;

/**
 * Reads a `Retry-After` header, in seconds or as a date, as options of a `SyncError`; empty where
 * there is none. Google does not document the header, proxies before it send it all the same.
 */
export function retryAfterMs(headers: Headers, now: Date): { readonly retryAfterMs?: number } {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(value)) return { retryAfterMs: Math.min(Number(value) * 1000, LONGEST_MS) };
  const waitMs = Date.parse(value) - now.getTime();
  return Number.isFinite(waitMs) ? { retryAfterMs: Math.min(Math.max(0, waitMs), LONGEST_MS) } : {};
}
