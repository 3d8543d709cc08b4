import { SyncError } from "../errors.ts";

/**
 * Reads an answer as JSON, no further than `maxBytes`. Throws `response_invalid` for a body that is
 * larger or is not JSON, and whatever the connection throws when it breaks.
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
      { cause },
    );
  }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop by throwing cancels the body, so nothing more of it is received.
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new SyncError(
        "response_invalid",
        `The provider's answer is larger than ${maxBytes} bytes, which no listing page is.`,
      );
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(joined(chunks, size));
}

/** A text put together from decoded chunks would be copied once more in order to be parsed. */
function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
