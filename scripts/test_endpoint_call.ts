import { z } from "zod";
import { oneLine, StackError } from "../local/failure.ts";
import { ENDPOINT_IDS } from "./endpoint_id.ts";
import type { TestRequest } from "./endpoint_test_options.ts";
import { TestReport } from "./endpoint_test_report.ts";
import type { ProjectAccess } from "./project_access.ts";

/** The function answers within 25 seconds, plus what the way takes. */
const LONGEST_WAIT_MS = 45_000;

const Refusal = z.object({ code: z.string(), message: z.string() });

/** Asks the project's function test-endpoint; throws a `StackError` where it gives no report. */
export async function askTestEndpoint(
  { url, headers, source }: ProjectAccess,
  request: TestRequest,
  fetch: typeof globalThis.fetch,
): Promise<TestReport> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(`${url}/functions/v1/test-endpoint`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(request),
      // The key goes to the project and nowhere else.
      redirect: "error",
      signal: AbortSignal.timeout(LONGEST_WAIT_MS),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw new StackError(`Cannot reach ${url} (from ${source}): ${oneLine(cause)}`, { cause });
  }
  const body = parseJson(text);
  const report = TestReport.safeParse(body);
  if (status === 200 && report.success) return report.data;
  throw refused(status, body);
}

function refused(status: number, body: unknown): StackError {
  const refusal = Refusal.safeParse(body);
  // The gateway has no code "not_found" of its own: without one of ours there is no function.
  if (status === 404 && refusal.data?.code !== "not_found") {
    return new StackError(
      "The function test-endpoint is not deployed: run `supabase functions deploy test-endpoint`",
    );
  }
  if (refusal.data?.code === "not_found") {
    return new StackError(`not_found: ${refusal.data.message} ${ENDPOINT_IDS}`);
  }
  if (refusal.success) return new StackError(`${refusal.data.code}: ${refusal.data.message}`);
  return new StackError(
    `The function test-endpoint answered with HTTP status ${status} and no report: look whether ` +
      "the address is that of the project, and into the function's logs",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page: the status says enough.
    return null;
  }
}
