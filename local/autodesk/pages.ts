import type { ApiCall } from "./api_call.ts";
import type { PageRequest } from "./parameters.ts";
import type { Rendering } from "./rendering.ts";

/** A page of entries, cut before any filter. */
export interface Cut<Entry> {
  readonly entries: readonly Entry[];
  readonly isLast: boolean;
}

/** The entries of one page. */
export function cutPage<Entry>(all: readonly Entry[], page: PageRequest): Cut<Entry> {
  const start = page.number * page.limit;
  const entries = all.slice(start, start + page.limit);
  return { entries, isLast: start + page.limit >= all.length };
}

/** The links of a page: only a missing `next` means the end. */
export function pageLinks(call: ApiCall, to: Rendering, page: PageRequest, isLast: boolean) {
  const at = (number: number) => {
    const query = new URLSearchParams(call.query);
    query.set("page[number]", String(number));
    return to.link(`${call.url.pathname}?${query}`);
  };
  return {
    self: call.self(to),
    ...(page.number === 0 && isLast ? {} : { first: at(0) }),
    ...(page.number === 0 ? {} : { prev: at(page.number - 1) }),
    ...(isLast ? {} : { next: nextLink(call, at(page.number + 1)) }),
  };
}

function nextLink(call: ApiCall, link: { readonly href: string }) {
  if (call.fault?.type !== "foreign_next") return link;
  const url = new URL(link.href, call.url);
  return { href: call.fault.origin + url.pathname + url.search };
}
