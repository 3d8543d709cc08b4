import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { CallPurpose, ProviderContext } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { parseAnswer, type ResourceList, resourceList } from "./schemas.ts";

const NUMBER = "page[number]";
const LIMIT = "page[limit]";

/** Where a list is read on: what the link of the page before says after the API's base. */
export const position = z.object({ next: z.string().min(1) }).nullable();

/** Where a list is read on; `null`: at its beginning. */
export type Position = z.infer<typeof position>;

/** One page, and where the next one is; `null`: there is none. */
export interface ListPage {
  readonly list: ResourceList;
  readonly nextPosition: Position;
}

/**
 * Asks for the page at a position; `first` is the address of the first one, `purpose` is as for
 * `ProviderContext.getJson`.
 */
export async function askPage(
  first: URL,
  at: Position,
  { getJson, apiUrl, pageSize }: ProviderContext<AutodeskConfig>,
  purpose: CallPurpose = "run",
): Promise<ListPage> {
  const url = at === null ? first : fitPage(resolveLink(at.next, apiUrl), pageSize);
  const list = parseAnswer(resourceList, await getJson(url, purpose), "a folder's content");
  if (list.next === null) return { list, nextPosition: null };
  const next = resolveLink(list.next, apiUrl);
  if (!isFurther(next, url)) {
    const message = "Autodesk answers a page that leads back to itself; it will be tried again";
    throw new SyncError("response_invalid", message, { isUnreadable: true });
  }
  const { pathname } = new URL(`${apiUrl}/`);
  const path = `${next.pathname.slice(pathname.length - 1)}${next.search}`;
  return { list, nextPosition: { next: path } };
}

/**
 * Resolves a link of an answer: absolute, or relative to the host. The token goes to the configured
 * API alone, so any other host is refused.
 */
export function resolveLink(href: string, apiUrl: string): URL {
  const base = new URL(`${apiUrl}/`);
  const url = URL.parse(href, base);
  if (url === null || url.origin !== base.origin || url.username !== "" || url.password !== "") {
    throw otherHost();
  }
  // A proxy may serve the API below a path of its own, which links relative to the host lack.
  if (!url.pathname.startsWith(base.pathname)) {
    url.pathname = `${base.pathname.slice(0, -1)}${url.pathname}`;
  }
  // Kept without its host, as a position is, such a path would be read as one.
  if (url.pathname.startsWith("//", base.pathname.length - 1)) throw otherHost();
  return url;
}

function otherHost(): SyncError {
  const message = "Autodesk pointed to another host than the configured one; it was not followed";
  return new SyncError("response_invalid", message);
}

function readNumber(url: URL, name: string): number | null {
  const value = url.searchParams.get(name) ?? "";
  return /^\d{1,9}$/.test(value) ? Number(value) : null;
}

/** How many entries come before the page; `null` where the link does not tell. */
function offsetOf(url: URL): number | null {
  const number = readNumber(url, NUMBER);
  const limit = readNumber(url, LIMIT);
  return number === null || limit === null ? null : number * limit;
}

/**
 * Cuts the page of a link to `pageSize`, as far as pages of equal size can begin where it begins:
 * a link repeats the size of the page before, whatever may be read now.
 */
export function fitPage(link: URL, pageSize: number): URL {
  const offset = offsetOf(link);
  if (offset === null || offset === 0) return link;
  let size = Math.min(pageSize, offset);
  while (offset % size !== 0) size -= 1;
  const url = new URL(link);
  url.searchParams.set(NUMBER, String(offset / size));
  url.searchParams.set(LIMIT, String(size));
  return url;
}

function isFurther(next: URL, current: URL): boolean {
  const from = readNumber(current, NUMBER) ?? 0;
  const to = readNumber(next, NUMBER);
  return to === null ? next.href !== current.href : to > from;
}
