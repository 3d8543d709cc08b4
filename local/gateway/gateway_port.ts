import { StackError } from "../failure.ts";
import { errorAnswer } from "./answers.ts";
import type { Handler } from "./gateway.ts";

const STOP_DEADLINE_MS = 2_000;

/** A port of the API that answers from the first moment, at first with 503. */
export interface GatewayPort {
  readonly port: number;
  /** Hands the port to the handler of the whole API. */
  use(handler: Handler): void;
  stop(): Promise<void>;
}

/**
 * Takes `port` of this machine (0 picks a free one). It is taken before anything is started, so that
 * a port in use is found out at once, and the parts know the address they are reached at.
 */
export function openGatewayPort(port: number, onError?: (cause: unknown) => void): GatewayPort {
  let handler: Handler = () => errorAnswer(503, "STARTING", "The stack is starting");
  const server = listen(port, (request) => handler(request), onError);
  return {
    port: server.addr.port,
    use: (next) => {
      handler = next;
    },
    stop: () => stop(server),
  };
}

function listen(
  port: number,
  handler: Handler,
  onError?: (cause: unknown) => void,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      hostname: "127.0.0.1",
      port,
      onListen: () => {},
      onError: (cause) => {
        onError?.(cause);
        return errorAnswer(500, "INTERNAL", "The gateway failed");
      },
    }, handler);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.AddrInUse
      ? "it is in use: stop what uses it, or choose --api-port"
      : cause instanceof Deno.errors.PermissionDenied
      ? "permission is denied: choose another --api-port"
      : null;
    if (reason === null) throw cause;
    throw new StackError(`Cannot listen on port ${port} as ${reason}`, { cause });
  }
}

/** Lets answers under way end, but waits for none of them long. */
async function stop(server: Deno.HttpServer): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, STOP_DEADLINE_MS);
  await Promise.race([server.shutdown(), deadline.promise]);
  clearTimeout(timer);
}
