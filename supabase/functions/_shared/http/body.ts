import type { z } from "zod";
import { HttpError } from "./http_error.ts";

/** Largest request body that a function reads. */
export const LARGEST_BODY_BYTES = 64 * 1024;

/**
 * Reads a JSON body of at most 64 KiB; an empty one counts as `{}`. Throws `body_too_large` (413)
 * without reading on, or `body_invalid` (400) naming the first field that is wrong.
 */
export async function readJsonBody<Body>(
  request: Request,
  schema: z.ZodType<Body>,
): Promise<Body> {
  const text = await readText(request);
  const result = schema.safeParse(text.trim() === "" ? {} : parseJson(text));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "body" : issue.path.join(".");
  throw new HttpError("body_invalid", `The request's ${place} is not valid: ${issue?.message}`);
}

async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > LARGEST_BODY_BYTES) throw tooLarge();
  if (request.body === null) return "";
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  // Leaving the loop by a throw cancels the rest of the body.
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST_BODY_BYTES) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpError("body_invalid", "The request's body is not valid JSON.", { cause });
  }
}

function tooLarge(): HttpError {
  return new HttpError(
    "body_too_large",
    `The request's body is larger than ${LARGEST_BODY_BYTES} bytes.`,
  );
}
