import { invalidValue, notEmulated } from "./api_error.ts";
import { type Account, FOLDER_TYPE, type Item } from "./drive_types.ts";

type Comparison = (left: Item, right: Item) => number;

const NATURAL = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const NOT_EMULATED = new Set(["modifiedByMeTime"]);

/** Reads an `orderBy` parameter: the comparison by which the items are to be sorted. */
export function parseOrder(text: string, account: Account): Comparison {
  const comparisons = text.split(",").map((part) => parsePart(part.trim(), account));
  return (left, right) => {
    for (const compare of comparisons) {
      const order = compare(left, right);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function parsePart(part: string, account: Account): Comparison {
  const [, key, descending] = /^([A-Za-z_]+)( desc)?$/.exec(part) ?? [];
  if (key === undefined) throw invalidValue("orderBy");
  const compare = comparisonOf(key, account);
  return descending === undefined ? compare : (left, right) => compare(right, left);
}

function comparisonOf(key: string, account: Account): Comparison {
  if (NOT_EMULATED.has(key)) throw notEmulated(`the order "${key}"`, "orderBy");
  switch (key) {
    case "createdTime":
      return by((item) => item.createdMs);
    case "modifiedTime":
    case "recency":
      return by((item) => item.modifiedMs);
    case "viewedByMeTime":
      return by((item) => item.viewedBy?.get(account.email) ?? 0);
    case "sharedWithMeTime":
      return by((item) => item.sharedWith?.get(account.email) ?? 0);
    case "quotaBytesUsed":
      return by((item) => Number(item.size ?? 0));
    case "folder":
      return by((item) => item.mimeType === FOLDER_TYPE ? 0 : 1);
    case "starred":
      return () => 0;
    case "name":
      return (left, right) => compareTexts(left.name.toLowerCase(), right.name.toLowerCase());
    case "name_natural":
      return (left, right) => NATURAL.compare(left.name, right.name);
    default:
      throw invalidValue("orderBy");
  }
}

function by(read: (item: Item) => number): Comparison {
  return (left, right) => read(left) - read(right);
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
