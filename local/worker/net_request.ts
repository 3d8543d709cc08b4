/** One request of pg_net's queue, and the row its answer makes. */

const USER_AGENT = "pg_net/0.20.4";

/** A row taken from `net.http_request_queue`. */
export interface QueuedRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>> | null;
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly timeoutMs: number;
}

/** A row for `net._http_response`, less its time. */
export interface ResponseRow {
  readonly id: string;
  readonly status_code: number | null;
  readonly content_type: string | null;
  readonly headers: Record<string, string> | null;
  readonly content: string | null;
  readonly timed_out: boolean;
  readonly error_msg: string | null;
}

/** Sends a request and returns its answer. A failure is an answer too: this never rejects. */
export async function send(request: QueuedRequest): Promise<ResponseRow> {
  const { id, timeoutMs } = request;
  if (timeoutMs <= 0) return failure(id, `timeout_milliseconds must be positive, got ${timeoutMs}`);
  const startedAt = performance.now();
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(request.url, {
      method: request.method.toUpperCase(),
      headers: requestHeaders(request),
      body: request.body,
      redirect: "follow",
      signal: deadline,
    });
    const content = textColumn(await response.text());
    return {
      id,
      status_code: response.status,
      content_type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      content: content === "" ? null : content,
      timed_out: false,
      error_msg: null,
    };
  } catch (cause) {
    if (!deadline.aborted) return failure(id, describe(cause));
    const total = (performance.now() - startedAt).toFixed(6);
    const message = `Timeout of ${timeoutMs} ms reached. Total time: ${total} ms`;
    return { ...failure(id, message), timed_out: true };
  }
}

function failure(id: string, message: string): ResponseRow {
  return {
    id,
    status_code: null,
    content_type: null,
    headers: null,
    content: null,
    timed_out: false,
    error_msg: textColumn(message),
  };
}

/** A header whose value is null is dropped without a word: that is what pg_net does. */
function requestHeaders({ headers }: QueuedRequest): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value === null) continue;
    result.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  result.set("User-Agent", USER_AGENT);
  return result;
}

/** Returns curl's words for the commonest failures, which people search for. */
function describe(cause: unknown): string {
  const text = causesOf(cause).join(": ");
  if (/refused/i.test(text)) return "Couldn't connect to server";
  if (/dns error|lookup address/i.test(text)) return "Couldn't resolve host name";
  return text;
}

function causesOf(cause: unknown): string[] {
  return cause instanceof Error ? [cause.message, ...causesOf(cause.cause)] : [];
}

/** A text column cannot hold the character NUL; pg_net ends the text there. */
function textColumn(text: string): string {
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}
