import type { ApiAnswer, ApiCall } from "./api_call.ts";
import { notFound } from "./api_error.ts";
import { tipOf, type Version } from "./aps_types.ts";
import { parseFilters } from "./filters.ts";
import { itemResource, versionResource } from "./item_resources.ts";
import { cutPage, pageLinks } from "./pages.ts";
import { flag, pageOf } from "./parameters.ts";
import { JSON_API } from "./rendering.ts";

/** `GET /data/v1/projects/{project}/items/{item}` */
export function getItem(call: ApiCall): ApiAnswer {
  const item = call.item();
  const to = call.rendering("milliseconds");
  const tip = tipOf(item);
  return {
    type: "json",
    body: {
      jsonapi: JSON_API,
      links: { self: call.self(to) },
      data: itemResource(item, to, { hasPath: flag(call.query, "includePathInProject") }),
      ...(tip === null ? {} : { included: [versionResource(tip, to)] }),
    },
  };
}

/** `GET …/items/{item}/tip` */
export function getItemTip(call: ApiCall): ApiAnswer {
  const tip = tipOf(call.item());
  if (tip === null) throw notFound("Version");
  return one(call, tip);
}

/** `GET …/items/{item}/versions`: the newest first. */
export function listVersions(call: ApiCall): ApiAnswer {
  const page = pageOf(call.query);
  const passes = parseFilters(call.query);
  const to = call.rendering("milliseconds");
  const { entries, isLast } = cutPage(call.item().versions.toReversed(), page);
  return {
    type: "json",
    body: {
      jsonapi: JSON_API,
      links: pageLinks(call, to, page, isLast),
      data: entries.map((version) => versionResource(version, to)).filter((each) => passes(each)),
    },
  };
}

/** `GET …/versions/{version}` */
export function getVersion(call: ApiCall): ApiAnswer {
  return one(call, call.version());
}

/** `GET …/versions/{version}/item` */
export function getVersionItem(call: ApiCall): ApiAnswer {
  const { item } = call.version();
  const to = call.rendering("milliseconds");
  const data = itemResource(item, to);
  return { type: "json", body: { jsonapi: JSON_API, links: { self: call.self(to) }, data } };
}

function one(call: ApiCall, version: Version): ApiAnswer {
  const to = call.rendering("milliseconds");
  const data = versionResource(version, to);
  return { type: "json", body: { jsonapi: JSON_API, links: { self: call.self(to) }, data } };
}
