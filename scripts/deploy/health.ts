import { z } from "zod";
import { oneLine } from "../../local/failure.ts";
import type { DeployDeps } from "./deps.ts";

/** The first tick of a schedule that was just turned on comes within a minute. */
const LONGEST_WAIT_MS = 100_000;
const PAUSE_MS = 3_000;
const ANSWER_MS = 10_000;

const Health = z.object({
  status: z.enum(["ok", "degraded", "down"]),
  version: z.string(),
  checks: z.record(z.string(), z.object({ message: z.string().nullable() })),
});

/** The last thing the health function said. */
export interface HealthResult {
  readonly status: "ok" | "degraded" | "down" | "no answer";
  readonly message: string;
}

/**
 * Asks until the answer is `ok` and comes from the version that was deployed, or until the time is up:
 * then the last answer counts, whatever it was.
 */
export async function waitForHealth(
  functionsUrl: string,
  version: string,
  { fetch, clock, pause }: Pick<DeployDeps, "fetch" | "clock" | "pause">,
): Promise<HealthResult> {
  const deadline = clock() + LONGEST_WAIT_MS;
  for (;;) {
    const result = await askHealth(functionsUrl, version, fetch);
    if (result.status === "ok" || clock() >= deadline) return result;
    await pause(PAUSE_MS);
  }
}

async function askHealth(
  functionsUrl: string,
  version: string,
  fetch: DeployDeps["fetch"],
): Promise<HealthResult> {
  try {
    const response = await fetch(`${functionsUrl}/health`, {
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const health = Health.safeParse(await response.json());
    if (!health.success) {
      return { status: "no answer", message: `HTTP status ${response.status} and no report` };
    }
    const { status, checks, version: found } = health.data;
    if (found !== version) {
      return { status: "no answer", message: `version ${found} still answers, not ${version}` };
    }
    const said = Object.values(checks).flatMap(({ message }) => message ?? []);
    return { status, message: said.join(" ") };
  } catch (cause) {
    // Not there yet, or a page of the gateway: asked again until the time is up.
    return { status: "no answer", message: oneLine(cause) };
  }
}
