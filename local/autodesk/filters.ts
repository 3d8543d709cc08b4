import { badInput } from "./api_error.ts";

/** A resource as filters look at it. */
export interface Filterable {
  readonly type: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const COMPARISONS: Readonly<Record<string, (actual: string, wanted: string) => boolean>> = {
  lt: (actual, wanted) => actual < wanted,
  le: (actual, wanted) => actual <= wanted,
  eq: (actual, wanted) => actual === wanted,
  ge: (actual, wanted) => actual >= wanted,
  gt: (actual, wanted) => actual > wanted,
  starts: (actual, wanted) => actual.startsWith(wanted),
  ends: (actual, wanted) => actual.endsWith(wanted),
  contains: (actual, wanted) => actual.includes(wanted),
};

/**
 * Reads the `filter[…]` parameters. A resource passes where every filter is met by one of its
 * values; texts are compared as they are written, letter by letter. An item is also judged by its
 * tip version.
 */
export function parseFilters(
  query: URLSearchParams,
): (resource: Filterable, version?: Filterable) => boolean {
  const filters = [...new Set(query.keys())].filter((key) => key.startsWith("filter["))
    .map((key) => parseFilter(key, query.getAll(key)));
  return (resource, version) => filters.every((filter) => filter(resource, version));
}

/** Whether a filter asks about hidden entries, which are left out otherwise. */
export function asksForHidden(query: URLSearchParams): boolean {
  return query.has("filter[hidden]");
}

function parseFilter(key: string, values: readonly string[]) {
  const [, field, operator = "eq"] = /^filter\[([A-Za-z.]+)\](?:-([a-z]+))?$/.exec(key) ?? [];
  const compare = COMPARISONS[operator];
  if (field === undefined || compare === undefined) {
    throw badInput(`The filter cannot be read: current value is "${key}"`);
  }
  const wanted = values.flatMap((value) => value.split(","));
  if (field === "type" && !wanted.every((each) => each === "folders" || each === "items")) {
    throw badInput(`filter[type] must be folders or items: current value is "${wanted}"`);
  }
  return (resource: Filterable, version?: Filterable): boolean => {
    const actual = valueOf(resource, field) ??
      (version === undefined ? undefined : valueOf(version, field));
    return actual !== undefined && wanted.some((each) => compare(actual, each));
  };
}

function valueOf(resource: Filterable, field: string): string | undefined {
  if (field === "type") return resource.type;
  if (field === "id") return resource.id;
  let value: unknown = resource.attributes;
  for (const name of field.split(".")) {
    value = typeof value === "object" && value !== null
      ? Object.entries(value).find(([key]) => key === name)?.[1]
      : undefined;
  }
  return value === undefined || value === null || typeof value === "object"
    ? undefined
    : String(value);
}
