import { badInput } from "./api_error.ts";

/** A page of a list. */
export interface PageRequest {
  /** From zero. */
  readonly number: number;
  readonly limit: number;
}

const LARGEST_PAGE = 200;

/** Reads `page[number]` and `page[limit]`. What happens above 200 is undocumented: here, a 400. */
export function pageOf(query: URLSearchParams): PageRequest {
  return {
    number: integer(query, "page[number]", { min: 0, max: 2 ** 31 - 1, standard: 0 }),
    limit: integer(query, "page[limit]", { min: 1, max: LARGEST_PAGE, standard: LARGEST_PAGE }),
  };
}

/** Reads a truth value; by default false. */
export function flag(query: URLSearchParams, name: string): boolean {
  const text = single(query, name);
  if (text === null) return false;
  if (text === "true" || text === "false") return text === "true";
  throw badInput(`The parameter ${name} must be true or false: current value is "${text}"`);
}

function integer(
  query: URLSearchParams,
  name: string,
  range: { readonly min: number; readonly max: number; readonly standard: number },
): number {
  const text = single(query, name);
  if (text === null) return range.standard;
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= range.min && value <= range.max) return value;
  throw badInput(
    `The parameter ${name} must be from ${range.min} to ${range.max}: current value is "${text}"`,
  );
}

function single(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  if (values.length > 1) throw badInput(`The parameter ${name} is given more than once`);
  return values[0] ?? null;
}
