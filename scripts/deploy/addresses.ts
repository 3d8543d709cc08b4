/** Addresses in the settings: those of this machine have no place in a deployed project. */
import { FUNCTIONS_URL, type Settings } from "./settings.ts";

/** May hold `http://localhost`: people develop pages of their own against a deployed project. */
const FOR_BROWSERS = "CONNECTOR_OAUTH_REDIRECT_URLS";
const PLATFORM_DOMAIN = ".supabase.co";
const ADDRESS = /https?:\/\/[^\s"'\\,<>]+/gi;
const INTERNAL =
  /^(localhost|kong|api-gw|\[.*\]|(127|10|0)(\.\d{1,3}){3}|192\.168(\.\d{1,3}){2}|172\.(1[6-9]|2\d|3[01])(\.\d{1,3}){2}|.*\.(internal|local|localhost))$/i;

/** Address of a project, without a slash at its end. */
export function projectAddress(ref: string): string {
  return `https://${ref}${PLATFORM_DOMAIN}`;
}

/** What {@linkcode findFunctionsUrl} found. */
export type FunctionsUrl =
  | { readonly url: string; readonly note?: string }
  | { readonly problem: string };

/** Checks the address that the database will call, or derives it where none is set. */
export function findFunctionsUrl(settings: Settings, ref: string): FunctionsUrl {
  const derived = `${projectAddress(ref)}/functions/v1`;
  const set = settings[FUNCTIONS_URL];
  if (set === undefined) return { url: derived };
  const url = URL.parse(set);
  const isPlain = url !== null && url.protocol === "https:" && url.username === "" &&
    url.password === "" && url.search === "" && url.hash === "" &&
    url.pathname.replace(/\/$/, "") === "/functions/v1";
  if (!isPlain || INTERNAL.test(url.hostname)) {
    return { problem: `The setting ${FUNCTIONS_URL} must be ${derived}, or be left out` };
  }
  if (url.host === `${ref}${PLATFORM_DOMAIN}`) return { url: derived };
  if (url.host.endsWith(PLATFORM_DOMAIN)) {
    return {
      problem:
        `The setting ${FUNCTIONS_URL} is that of another project (${url.host}): it must be ` +
        `${derived}, or be left out`,
    };
  }
  return {
    url: `${url.origin}/functions/v1`,
    note: `${url.host} is taken for a domain of this project`,
  };
}

/** One sentence for each setting that leads to this machine, or that would be asked in the clear. */
export function findLocalAddresses(settings: Settings): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    if (name === FUNCTIONS_URL || name === FOR_BROWSERS) continue;
    const urls = [...value.matchAll(ADDRESS)].flatMap(([text]) => URL.parse(text) ?? []);
    const local = urls.find(({ hostname }) => INTERNAL.test(hostname));
    if (local !== undefined) {
      problems.push(
        `The setting ${name} leads to ${local.host}, which is this machine or its emulators: ` +
          "remove it, or set the real address",
      );
    } else if (urls.some(({ protocol }) => protocol === "http:")) {
      problems.push(`The setting ${name} must begin with https:// as keys travel with it`);
    }
  }
  return problems;
}
