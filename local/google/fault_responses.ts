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
      return jsonResponse('\u0000{"files":[{"id":}}]<<');
    case "html":
      return htmlResponse(fault.status ?? 200);
    default:
      return null;
  }
}

/** A JSON answer as Google sends it; a `truncated` fault cuts it off in the middle. */
export function jsonResponse(text: string, fault: Fault | null = null): Response {
  const body = fault?.type === "truncated" ? text.slice(0, Math.ceil(text.length / 2)) : text;
  const headers = { "content-type": "application/json; charset=UTF-8" };
  return new Response(body, { headers });
}

function htmlResponse(status: number): Response {
  const page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>That's an error." +
    "</h1><p>The server encountered a temporary error. Please try again.</p></body></html>";
  return new Response(page, { status, headers: { "content-type": "text/html; charset=UTF-8" } });
}
