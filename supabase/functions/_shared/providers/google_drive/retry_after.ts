/**
 * Reads a `Retry-After` header, in seconds or as a date, as options of a `SyncError`; empty where
 * there is none. Google does not document the header, proxies before it send it all the same.
 */
export function retryAfterMs(headers: Headers, now: Date): { readonly retryAfterMs?: number } {
  const value = headers.get("retry-after")?.trim();
  if (!value) return {};
  if (/^\d{1,6}$/.test(value)) return { retryAfterMs: Number(value) * 1000 };
  const at = Date.parse(value);
  return Number.isFinite(at) ? { retryAfterMs: Math.max(0, at - now.getTime()) } : {};
}
