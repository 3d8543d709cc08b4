import { SyncError } from "./errors.ts";

/** Where a browser may be sent after a consent: an origin, and a path at or below this one. */
export interface RedirectRule {
  readonly origin: string;
  /** Without a slash at its end; empty: the whole origin. */
  readonly path: string;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether a host can only be the machine itself, so that plain http reaches nobody else. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/**
 * Whether a browser may be sent to such an address at all: https, or http to the machine itself, and
 * nothing in it that makes it look like another one.
 */
export function isPlainAddress(url: URL): boolean {
  const isSecure = url.protocol === "https:" ||
    (url.protocol === "http:" && isLoopback(url.hostname));
  return isSecure && url.username === "" && url.password === "" && url.hash === "";
}

/** Parses the addresses, separated by commas, to which a browser may be sent after a consent. */
export function parseRedirectRules(name: string, text: string): readonly RedirectRule[] {
  const entries = text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  return entries.map((entry, index) => parseRule(name, entry, index + 1));
}

function parseRule(name: string, entry: string, position: number): RedirectRule {
  const url = URL.parse(entry);
  if (url === null || !isPlainAddress(url) || url.search !== "" || /[*]/.test(url.href)) {
    throw new SyncError(
      "setting_invalid",
      `The setting ${name} must hold https addresses (http for this machine alone), separated by ` +
        `commas, without user, query, fragment and wildcards: number ${position} is none`,
    );
  }
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, "") };
}
