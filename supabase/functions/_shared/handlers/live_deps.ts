import { type Env, readEnvironmentName, readLogLevel } from "../config.ts";
import { createAdminClient, createUserClient } from "../db/client.ts";
import { createConnectorDb } from "../db/connector_db.ts";
import { createBackground, findEdgeRuntime } from "../http/background.ts";
import { createTimedFetch } from "../http/timed_fetch.ts";
import { createLog, type Log, type LogLevel, logWith } from "../log.ts";
import type { FunctionDeps } from "./function_deps.ts";

/** The real environment, clock, network, logs and database. Reads no setting that could be wrong. */
export function liveDeps(slug: string): FunctionDeps {
  const env: Env = (name) => Deno.env.get(name);
  const now = () => new Date();
  const log = liveLog(slug, env, now);
  const timedFetch = (timeoutMs: number) =>
    createTimedFetch({ fetch: globalThis.fetch, timeoutMs });
  return {
    env,
    now,
    log,
    fetch: globalThis.fetch,
    newId: () => crypto.randomUUID(),
    background: createBackground(log, findEdgeRuntime(globalThis)),
    connectAsService: ({ supabaseUrl, secretKey }, timeoutMs) =>
      createConnectorDb(
        createAdminClient({ url: supabaseUrl, fetch: timedFetch(timeoutMs) }, secretKey),
      ),
    connectAsUser: ({ supabaseUrl, publishableKey }, accessToken, timeoutMs) =>
      createConnectorDb(createUserClient(
        { url: supabaseUrl, fetch: timedFetch(timeoutMs) },
        publishableKey,
        accessToken,
      )),
  };
}

function liveLog(slug: string, env: Env, now: () => Date): Log {
  const log = createLog({
    level: tolerantLogLevel(env),
    function: slug,
    environment: readEnvironmentName(env),
    write: writeLine,
    now,
  });
  const executionId = env("SB_EXECUTION_ID");
  return executionId === undefined ? log : logWith(log, { execution_id: executionId });
}

function tolerantLogLevel(env: Env): LogLevel {
  try {
    return readLogLevel(env);
  } catch {
    // Reading all settings at the first request reports the malformed one.
    return "info";
  }
}

// The platform files a line under the level of the console method that wrote it.
function writeLine(line: string, level: LogLevel): void {
  // deno-lint-ignore no-console -- the one place from which logs leave
  console[level](line);
}
