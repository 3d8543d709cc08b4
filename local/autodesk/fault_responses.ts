import { ConnectionReset } from "../emulator/connection_reset.ts";
import { type Silence, untilAborted } from "../emulator/pause.ts";
import { type Fault, statusFaultError } from "./faults.ts";

/**
 * What a fault makes of a call: an answer, or `null` where the call is to be worked on as usual (the
 * fault then shows in the answer's content, or damages it afterwards).
 */
export async function answerFault(
  fault: Fault,
  signal: AbortSignal,
  silence: Silence = untilAborted,
): Promise<Response | null> {
  switch (fault.type) {
    case "status":
      return statusFaultError(fault).toResponse();
    case "timeout":
      return await silence(signal);
    case "reset":
      throw new ConnectionReset("The connection was reset");
    case "garbage":
      return jsonResponse('\u0000{"jsonapi":{"version":}}<<');
    case "html":
      return htmlResponse(fault.status ?? 200);
    default:
      return null;
  }
}

/** A JSON answer as the service sends it. */
export function jsonResponse(text: string, headers: Readonly<Record<string, string>> = {}) {
  return new Response(text, {
    headers: { "content-type": "application/vnd.api+json", ...headers },
  });
}

/** The answer that a fault leaves of a good one: `truncated` cuts it off in the middle. */
export async function damage(response: Response, fault: Fault | null): Promise<Response> {
  if (fault?.type !== "truncated") return response;
  const text = await response.text();
  const { status, headers } = response;
  return new Response(text.slice(0, Math.ceil(text.length / 2)), { status, headers });
}

function htmlResponse(status: number): Response {
  const page =
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Gateway error</h1>" +
    "<p>The server could not complete your request.</p></body></html>";
  return new Response(page, { status, headers: { "content-type": "text/html; charset=UTF-8" } });
}
