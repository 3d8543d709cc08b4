/** The loop of pg_net: takes queued requests, sends them together, and stores the answers. */

import process from "node:process";
import postgres from "postgres";
import { inTransaction } from "../transaction.ts";
import { applicationName } from "./loops.ts";
import { type QueuedRequest, send } from "./net_request.ts";

const BATCH_SIZE = 200;
const TTL = "6 hours";
const IDLE_MS = 1_000;

/** Sends what is queued until `signal` aborts. Throws when the database goes away. */
export async function runNetLoop(databaseUrl: string, signal: AbortSignal): Promise<void> {
  const sql = postgres(databaseUrl, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: applicationName("pg_net", process.pid) },
  });
  const bell = createBell(signal);
  try {
    // Sent by net.wake(). The wait below has a limit all the same, for what a lost connection misses.
    await sql.listen("pg_net_wake", bell.ring);
    while (!signal.aborted) {
      const sent = await sendBatch(sql);
      if (sent === 0) await bell.wait(IDLE_MS);
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * One transaction from taking the requests to storing the answers, as in pg_net: the slowest
 * request of a batch holds back all its answers and everything queued meanwhile, and a batch that
 * is cut short is sent again.
 */
async function sendBatch(sql: postgres.Sql): Promise<number> {
  return await inTransaction(sql, "", async (transaction) => {
    const requests = await transaction<QueuedRequest[]>`
      with expired as (
        delete from net._http_response
        where ctid in (
          select ctid from net._http_response
          where created < now() - ${TTL}::interval
          order by created limit ${BATCH_SIZE}
        )
      )
      delete from net.http_request_queue as queue
      where queue.id in (select id from net.http_request_queue order by id limit ${BATCH_SIZE})
      returning queue.id::text, queue.method, queue.url, queue.headers, queue.body,
        queue.timeout_milliseconds as "timeoutMs"`;
    if (requests.length === 0) return 0;
    const responses = await Promise.all(requests.map(send));
    await transaction`
      insert into net._http_response
        (id, status_code, content_type, headers, content, timed_out, error_msg)
      select answers.id, answers.status_code, answers.content_type, answers.headers,
        answers.content, answers.timed_out, answers.error_msg
      from jsonb_populate_recordset(
        null::net._http_response, ${JSON.stringify(responses)}::text::jsonb
      ) as answers`;
    return requests.length;
  });
}

/** A wait that can be cut short; a ring during work is kept for the next wait. */
function createBell(signal: AbortSignal) {
  let isRung = false;
  let wakeUp = () => {};
  const ring = () => {
    isRung = true;
    wakeUp();
  };
  signal.addEventListener("abort", ring);
  return {
    ring,
    async wait(limitMs: number): Promise<void> {
      if (!isRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, limitMs);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      isRung = false;
    },
  };
}
