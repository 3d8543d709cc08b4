import { refusalOf } from "./access.ts";
import type { ApiAnswer, ApiCall } from "./api_call.ts";
import { badInput, notFound } from "./api_error.ts";
import { type Folder, type Item, tipOf } from "./aps_types.ts";
import { asksForHidden, type Filterable, parseFilters } from "./filters.ts";
import { folderResource } from "./folder_resource.ts";
import { itemResource, versionResource } from "./item_resources.ts";
import { cutPage, pageLinks } from "./pages.ts";
import { flag, pageOf, type PageRequest } from "./parameters.ts";
import { JSON_API, type Rendering } from "./rendering.ts";

/** `GET /data/v1/projects/{project}/folders/{folder}` */
export function getFolder(call: ApiCall): ApiAnswer {
  const folder = call.folder();
  const { modifiedMs } = folder;
  const since = call.headers.get("if-modified-since");
  if (since !== null) {
    const sinceMs = Date.parse(since);
    if (Number.isNaN(sinceMs)) {
      throw badInput(`If-Modified-Since must be a time: current value is "${since}"`);
    }
    // The folder's own time counts, not that of what lies below it.
    if (wholeSeconds(modifiedMs) <= wholeSeconds(sinceMs)) {
      return { type: "not_modified", modifiedMs };
    }
  }
  return { ...one(call, folder), modifiedMs };
}

/** `GET …/folders/{folder}/parent` */
export function getFolderParent(call: ApiCall): ApiAnswer {
  const { parent } = call.folder();
  // The root of a project has nothing above it; what the caller may not read is not shown either.
  if (parent === null || refusalOf(parent, call.viewer) !== null) throw notFound("Folder");
  return one(call, parent);
}

/** `GET …/items/{item}/parent` */
export function getItemParent(call: ApiCall): ApiAnswer {
  return one(call, call.item().parent);
}

function one(call: ApiCall, folder: Folder): { readonly type: "json"; readonly body: unknown } {
  const to = call.rendering("milliseconds");
  const data = folderResource(folder, to, call.viewer);
  return { type: "json", body: { jsonapi: JSON_API, links: { self: call.self(to) }, data } };
}

/** `GET …/folders/{folder}/contents`: pages are cut first, then filtered. */
export function listContents(call: ApiCall): ApiAnswer {
  const folder = call.folder();
  const page = pageOf(call.query);
  const includesHidden = flag(call.query, "includeHidden") || asksForHidden(call.query);
  const passes = parseFilters(call.query);
  if (call.fault?.type === "empty_page") {
    folder.emptySlots.push({ position: page.number * page.limit, count: page.limit });
  }
  const { entries, isLast } = cutPage(slotsOf(folder, call), page);
  const repeated = repeatedEntries(call, folder, page, entries);
  const to = call.rendering("seven_digits");
  const data: Filterable[] = [];
  const included: Filterable[] = [];
  for (const entry of [...repeated, ...entries]) {
    if (entry === null || (entry.isHidden && !includesHidden)) continue;
    const { resource, version } = render(entry, to, call);
    if (!passes(resource, version)) continue;
    data.push(resource);
    if (version !== undefined) included.push(version);
  }
  const body = {
    jsonapi: JSON_API,
    links: pageLinks(call, to, page, isLast),
    data,
    ...includedPart(call, included),
  };
  return { type: "json", body };
}

// Some places show nothing: entries that are hidden from everybody still take theirs.
function slotsOf(folder: Folder, call: ApiCall): (Folder | Item | null)[] {
  const slots: (Folder | Item | null)[] = [];
  for (const child of folder.children) {
    const isDenied = child.kind === "folder" && child.denied.size > 0 &&
      refusalOf(child, call.viewer) !== null;
    if (!isDenied) slots.push(child);
  }
  for (const { position, count } of folder.emptySlots) {
    slots.splice(position, 0, ...Array.from({ length: count }, () => null));
  }
  return slots;
}

// As when something is put in front of a page while somebody is reading: its neighbours come again.
function repeatedEntries(
  call: ApiCall,
  folder: Folder,
  page: PageRequest,
  entries: readonly (Folder | Item | null)[],
): readonly (Folder | Item | null)[] {
  if (call.fault?.type !== "duplicates") return [];
  const before = page.number === 0
    ? entries
    : cutPage(slotsOf(folder, call), { ...page, number: page.number - 1 }).entries;
  return before.slice(-call.fault.count);
}

function render(
  entry: Folder | Item,
  to: Rendering,
  call: ApiCall,
): { readonly resource: Filterable; readonly version?: Filterable } {
  if (entry.kind === "folder") return { resource: folderResource(entry, to, call.viewer) };
  const resource = itemResource(entry, to);
  const tip = tipOf(entry);
  return tip === null ? { resource } : { resource, version: versionResource(tip, to) };
}

// Absent where the page has no versions to show.
function includedPart(call: ApiCall, included: readonly Filterable[]) {
  if (call.fault?.type === "included") {
    switch (call.fault.mode) {
      case "absent":
        return {};
      case "null":
        return { included: null };
      case "partial":
        return { included: included.slice(0, Math.floor(included.length / 2)) };
    }
  }
  return included.length === 0 ? {} : { included };
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
