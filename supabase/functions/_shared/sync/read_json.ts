import { SyncError } from "../errors.ts";

/**
 * Reads an answer as JSON, no further than `maxBytes`. Throws `response_invalid` for a body that is
 * larger or is not JSON (`isUnreadable`), and whatever the connection throws when it breaks.
 */
export async function readJson(response: Response, maxBytes: number): Promise<unknown> {
  const text = await readText(response, maxBytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyncError(
      "response_invalid",
      "The provider answered something that is not JSON. It will be asked again; if this stays, " +
        "check that the configured API URL leads to the provider and not to a proxy's page.",
      { cause, isUnreadable: true },
    );
  }
}

// Each piece becomes text as it comes. To collect the bytes first would hold the answer twice, and
// their buffers, which lie outside the heap, make the garbage collector look through all of it.
async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  // Leaving the loop by throwing cancels the body, so nothing more of it is received.
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new SyncError(
        "response_invalid",
        `The provider's answer is larger than ${maxBytes} bytes, which no listing page is.`,
        { isUnreadable: true },
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
