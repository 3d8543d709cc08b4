import { invalidValue, notEmulated } from "./api_error.ts";
import type { Account, Item } from "./drive_types.ts";
import type { Operator, Query } from "./query_parser.ts";
import { isTrashed } from "./visibility.ts";

/** Decides whether an item matches. */
export type Predicate = (item: Item) => boolean;

type Term = Extract<Query, { type: "term" }>;

// Terms that Drive knows and the emulator keeps no data for.
const NOT_EMULATED = new Set([
  "fullText",
  "properties",
  "appProperties",
  "visibility",
  "labels",
  "memberCount",
]);
// RFC 3339; a date alone and a missing offset (UTC) are accepted too.
const TIME = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?)?$/;

/** Makes the predicate of one term, as `account` would see it. */
export function termPredicate(term: Term, account: Account): Predicate {
  if (NOT_EMULATED.has(term.term)) throw notEmulated(`the search term "${term.term}"`, "q");
  switch (term.term) {
    case "name":
      return namePredicate(term.operator, textOf(term));
    case "mimeType":
      return mimeTypePredicate(term.operator, textOf(term));
    case "createdTime":
      return timePredicate(term, (item) => item.createdMs);
    case "modifiedTime":
      return timePredicate(term, (item) => item.modifiedMs);
    case "viewedByMeTime":
      return timePredicate(term, (item) => item.viewedBy?.get(account.email) ?? NaN);
    case "trashed":
      return flagPredicate(term, (item) => isTrashed(item));
    case "starred":
      return flagPredicate(term, () => false);
    case "sharedWithMe":
      return flagPredicate(term, (item) => item.sharedWith?.has(account.email) ?? false);
    case "parents":
      return parentPredicate(term, account);
    case "owners":
    case "writers":
    case "readers":
      return peoplePredicate(term, account);
    case "shortcutDetails.targetId":
      return equality(term.operator, textOf(term), (item) => item.shortcut?.targetId ?? "");
    default:
      throw invalidValue("q");
  }
}

/** The real id behind the alias `root`. */
export function resolveAlias(id: string, account: Account): string {
  return id === "root" ? account.root.id : id;
}

function parentPredicate(term: Term, account: Account): Predicate {
  if (term.operator !== "in") throw invalidValue("q");
  const id = resolveAlias(textOf(term), account);
  return (item) => item.parents.some((parent) => parent.id === id);
}

function peoplePredicate(term: Term, account: Account): Predicate {
  if (term.operator !== "in") throw invalidValue("q");
  const text = textOf(term);
  const email = text === "me" ? account.email : text;
  if (term.term === "owners") return (item) => item.ownerEmail === email;
  return (item) => item.ownerEmail === email || (item.sharedWith?.has(email) ?? false);
}

function namePredicate(operator: Operator, wanted: string): Predicate {
  // `name` compares without regard to case; `contains` matches beginnings of words only.
  const folded = wanted.toLowerCase();
  if (operator === "contains") {
    return (item) => {
      const name = item.name.toLowerCase();
      return name.startsWith(folded) ||
        name.split(/[^\p{L}\p{N}]+/u).some((word) => word !== "" && word.startsWith(folded));
    };
  }
  return equality(operator, folded, (item) => item.name.toLowerCase());
}

function mimeTypePredicate(operator: Operator, wanted: string): Predicate {
  if (operator === "contains") return (item) => item.mimeType.startsWith(wanted);
  return equality(operator, wanted, (item) => item.mimeType);
}

function equality(operator: Operator, wanted: string, read: (item: Item) => string): Predicate {
  if (operator === "=") return (item) => read(item) === wanted;
  if (operator === "!=") return (item) => read(item) !== wanted;
  throw invalidValue("q");
}

function flagPredicate(term: Term, read: Predicate): Predicate {
  const { operator, value } = term;
  if (typeof value !== "boolean" || (operator !== "=" && operator !== "!=")) {
    throw invalidValue("q");
  }
  const wanted = operator === "=" ? value : !value;
  return (item) => read(item) === wanted;
}

function timePredicate(term: Term, read: (item: Item) => number): Predicate {
  const limit = timeOf(textOf(term));
  switch (term.operator) {
    case "<":
      return (item) => read(item) < limit;
    case "<=":
      return (item) => read(item) <= limit;
    case ">":
      return (item) => read(item) > limit;
    case ">=":
      return (item) => read(item) >= limit;
    case "=":
      return (item) => read(item) === limit;
    case "!=":
      return (item) => read(item) !== limit;
    default:
      throw invalidValue("q");
  }
}

/** The milliseconds since 1970 of a time in a search; throws a 400 for what Drive does not take. */
export function timeOf(text: string): number {
  if (!TIME.test(text)) throw invalidValue("q");
  const hasOffset = /[Zz]$|[+-]\d\d:\d\d$/.test(text.slice(10));
  const ms = Date.parse(text.length > 10 && !hasOffset ? `${text}Z` : text);
  if (Number.isNaN(ms)) throw invalidValue("q");
  return ms;
}

function textOf(term: Term): string {
  if (typeof term.value !== "string") throw invalidValue("q");
  return term.value;
}
