import type { Catalog, Routine, RoutineParameter } from "./catalog.ts";
import { refusal, RestFailure } from "./failure.ts";
import { jsonKind, topLevelKeys } from "./json_keys.ts";
import type { RestRequest } from "./plans.ts";
import type { Parameters } from "./sql_text.ts";

/**
 * Types whose values come out the same whether the body is read as json or as jsonb. PostgREST reads
 * json, which keeps the spelling of a text or number but parses a large body three times, not once.
 */
const UNTOUCHED_BY_JSONB: ReadonlySet<string> = new Set([
  "bigint",
  "boolean",
  "integer",
  "jsonb",
  "smallint",
  "uuid",
]);

/** Finds the function a call means by its name and the names of its arguments. */
export function findRoutine(catalog: Catalog, name: string, request: RestRequest): Routine {
  const keys = argumentNames(catalog, name, request);
  const named = catalog.routines.get(name) ?? [];
  const matching = named.filter((routine) => accepts(routine, keys));
  const candidates = matching.length > 0
    ? matching
    : named.filter((routine) => request.method === "POST" && takesBody(routine));
  const [found, ...others] = candidates;
  if (found === undefined) throw notFound(name, keys, request);
  if (others.length > 0) throw ambiguous(candidates);
  if (found.parameters.some((parameter) => parameter.isVariadic)) {
    throw refusal("functions with variadic parameters");
  }
  return found;
}

/** The SQL of a call's arguments: what to select them from, and the list in the parentheses. */
export function callArguments(
  parameters: Parameters,
  routine: Routine,
  request: RestRequest,
): { readonly from: string; readonly list: string } {
  if (request.method !== "POST") return queryArguments(parameters, routine, request);
  if (takesBody(routine)) {
    const type = routine.parameters[0]?.type ?? "json";
    return { from: "", list: `${parameters.add(request.body || "{}")}::${type}` };
  }
  const keys = new Set(bodyKeys(request.body));
  const given = routine.parameters.filter((parameter) => keys.has(parameter.name));
  if (given.length === 0) return { from: "", list: "" };
  const types = given.map((parameter) => `${parameter.sql} ${parameter.type}`).join(", ");
  const json = given.every(({ type }) => UNTOUCHED_BY_JSONB.has(type)) ? "jsonb" : "json";
  return {
    from: `(select ${parameters.add(request.body)}::${json} as data) as payload, ` +
      `lateral (select * from ${json}_to_record(payload.data) as fields (${types})) as given,`,
    list: given.map(({ sql }) => `${sql} := given.${sql}`).join(", "),
  };
}

function queryArguments(
  parameters: Parameters,
  routine: Routine,
  request: RestRequest,
): { readonly from: string; readonly list: string } {
  const byName = new Map(routine.parameters.map((parameter) => [parameter.name, parameter]));
  const list = [...new Map(request.query.arguments)].flatMap(([name, value]) => {
    const parameter = byName.get(name);
    return parameter === undefined
      ? []
      : [`${parameter.sql} := ${parameters.add(value)}::${parameter.type}`];
  });
  return { from: "", list: list.join(", ") };
}

function argumentNames(
  catalog: Catalog,
  name: string,
  request: RestRequest,
): readonly string[] {
  if (request.method !== "POST") {
    const names = request.query.arguments.map(([argument]) => argument);
    if (new Set(names).size < names.length) throw refusal("an argument given twice");
    return names;
  }
  const [stray] = request.query.arguments;
  if (stray !== undefined) throw refusal("arguments in the query string of a POST");
  if (request.query.columns !== null) throw refusal("columns on a call");
  const takesAnyBody = (catalog.routines.get(name) ?? []).some(takesBody);
  if (takesAnyBody && jsonKind(request.body) !== "object") return [];
  return bodyKeys(request.body);
}

function bodyKeys(body: string): readonly string[] {
  if (body === "") return [];
  if (jsonKind(body) === "array") throw refusal("a call with a list of arguments");
  return topLevelKeys(body);
}

/** A function with one unnamed json parameter takes the whole body. */
function takesBody({ parameters }: Routine): boolean {
  const [only, ...others] = parameters;
  return only !== undefined && others.length === 0 && only.name === "" &&
    (only.type === "json" || only.type === "jsonb");
}

function accepts({ parameters }: Routine, keys: readonly string[]): boolean {
  const names = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  return keys.every((key) => key !== "" && names.has(key)) &&
    parameters.every((parameter) => !parameter.isRequired || keys.includes(parameter.name));
}

function notFound(name: string, keys: readonly string[], request: RestRequest): RestFailure {
  const names = keys.toSorted();
  const routine = `public.${name}`;
  const signature = names.length === 0 ? " without parameters" : `(${names.join(", ")})`;
  const searched = names.length === 0
    ? " without parameters"
    : ` with parameter${names.length > 1 ? "s" : ""} ${names.join(", ")}`;
  const alternative = request.method === "POST"
    ? " or with a single unnamed json/jsonb parameter"
    : "";
  return new RestFailure(
    404,
    "PGRST202",
    `Could not find the function ${routine}${signature} in the schema cache`,
    {
      details:
        `Searched for the function ${routine}${searched}${alternative}, but no matches were found in the schema cache.`,
      isCatalogMiss: true,
    },
  );
}

function ambiguous(candidates: readonly Routine[]): RestFailure {
  const describe = (parameter: RoutineParameter) => `${parameter.name} => ${parameter.type}`;
  const list = candidates.map(({ name, parameters }) =>
    `public.${name}(${parameters.map(describe).join(", ")})`
  );
  return new RestFailure(
    300,
    "PGRST203",
    `Could not choose the best candidate function between: ${list.join(", ")}`,
    {
      hint:
        "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    },
  );
}
