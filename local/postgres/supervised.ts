/** A server that is started again when it crashes, as a platform does with its own. */

import { oneLine } from "../failure.ts";
import type { ManagedProcess } from "../processes.ts";
import { stopServer } from "./server.ts";

/** How a server is kept up. */
export interface SupervisionOptions {
  readonly first: ManagedProcess;
  /** Starts the server of the same data on the same port. */
  readonly start: () => Promise<ManagedProcess>;
  readonly log: (line: string) => void;
}

/** A server, whichever process that is at the moment. */
export interface SupervisedServer {
  /** The process id; that of the last one between two. */
  pid(): number;
  /** Resolves when there is no server any more: it was stopped, or cannot be brought up again. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Keeps a server up. One that was shut down in an orderly way, by whomever, stays down: what crashed,
 * or was killed, comes back with its data.
 */
export function superviseServer({ first, start, log }: SupervisionOptions): SupervisedServer {
  let current = first;
  let isStopping = false;
  const ended = watch();

  async function watch(): Promise<void> {
    while (true) {
      const { code, signal } = await current.exited;
      if (isStopping || code === 0) return;
      log(`the database ended with ${signal ?? `status ${code}`}; it is started again`);
      try {
        current = await start();
        if (isStopping) return;
      } catch (cause) {
        log(`the database does not come up again: ${oneLine(cause)}`);
        return;
      }
    }
  }

  return {
    pid: () => current.pid,
    ended,
    async stop() {
      isStopping = true;
      const asked = current;
      await stopServer(asked);
      // One that was being started meanwhile would outlive the stop.
      await ended;
      if (current !== asked) await stopServer(current);
    },
  };
}
