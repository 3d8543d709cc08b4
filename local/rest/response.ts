import { z } from "zod";
import type { ResultRow } from "./database.ts";
import { RestFailure } from "./failure.ts";
import type { Answer } from "./plans.ts";

const headerList = z.array(z.record(z.string(), z.string()));

/** Builds the HTTP answer, after what SQL said of it in `response.status` and `response.headers`. */
export function answerResponse(answer: Answer, row: ResultRow, isHead: boolean): Response {
  const headers = new Headers(answer.headers);
  for (const header of headersOf(row.headers)) {
    for (const [name, value] of Object.entries(header)) headers.set(name, value);
  }
  const status = statusOf(row.status) ?? answer.status;
  const isEmpty = isHead || status === 204 || status === 205 || status === 304;
  return new Response(isEmpty ? null : answer.body, { status, headers });
}

function headersOf(text: string | null): z.infer<typeof headerList> {
  if (text === null) return [];
  const parsed = headerList.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  throw new RestFailure(
    500,
    "PGRST111",
    "response.headers guc must be a JSON array composed of objects with a single key and a string value",
  );
}

function statusOf(text: string | null): number | null {
  if (text === null) return null;
  const status = Number(text);
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw new RestFailure(500, "PGRST112", "response.status guc must be a valid status code");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
