import { refusal, RestFailure } from "./failure.ts";

/** The two shapes of an answer: a list of rows, or exactly one row. */
export type MediaShape = "list" | "single";

const LIST_TYPES: ReadonlySet<string> = new Set([
  "*/*",
  "application/*",
  "application/json",
  "application/vnd.pgrst.array",
  "application/vnd.pgrst.array+json",
]);
const SINGLE_TYPES: ReadonlySet<string> = new Set([
  "application/vnd.pgrst.object",
  "application/vnd.pgrst.object+json",
]);
/** Types that PostgREST, or one of its plugins, can answer and this stand-in cannot. */
const REFUSED_TYPES =
  /^(text\/csv|application\/(geo\+json|openapi\+json|vnd\.pgrst\.plan.*|octet-stream))$/;

/** Chooses the shape of the answer from the `Accept` header. */
export function negotiateShape(accept: string | null): MediaShape {
  const accepted = (accept ?? "*/*").split(",").map((item) => item.trim()).filter(Boolean);
  for (const item of accepted.length === 0 ? ["*/*"] : accepted) {
    const [type = "", ...attributes] = item.split(";").map((part) => part.trim().toLowerCase());
    if (REFUSED_TYPES.test(type)) throw refusal(`answers of type ${type}`);
    if (attributes.includes("nulls=stripped")) throw refusal("nulls=stripped");
    if (LIST_TYPES.has(type)) return "list";
    if (SINGLE_TYPES.has(type)) return "single";
  }
  throw new RestFailure(
    406,
    "PGRST107",
    `None of these media types are available: ${accepted.join(", ")}`,
  );
}

/** The `Content-Type` of an answer. */
export function contentTypeOf(shape: MediaShape): string {
  const type = shape === "list" ? "application/json" : "application/vnd.pgrst.object+json";
  return `${type}; charset=utf-8`;
}

/** Checks the type of a request's body; only JSON is read. */
export function requireJsonBody(contentType: string | null): void {
  const type = (contentType ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json" || type === "*/*") return;
  if (/^(text\/(csv|plain|xml)|application\/(x-www-form-urlencoded|octet-stream))$/.test(type)) {
    throw refusal(`bodies of type ${type}`);
  }
  throw new RestFailure(400, "PGRST102", `Content-Type not acceptable: ${type}`);
}
