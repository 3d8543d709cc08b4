/** Stands between a worker's process and all it talks to, and kills it at one of its calls. */
import type { DriveEmulator } from "../../../local/google/emulator.ts";
import { type HttpServer, serveHttp } from "../../../local/emulator/http_server.ts";

/** What is counted: calls to Drive, to the database, or those that commit a page. */
export type Target = "drive" | "database" | "commit";

/**
 * When the process dies: before the call is made; while it is made; when its answer is there, which
 * it never sees; or before it, and the call comes late, when the next process is already at work.
 */
export const MOMENTS = ["before", "meanwhile", "after", "late"] as const;

/** Where and when a process dies. */
export interface Death {
  readonly target: Target;
  /** The how-many-th call of that kind. */
  readonly call: number;
  readonly moment: typeof MOMENTS[number];
}

/** A call that a process had sent before it died, and that has not arrived yet. */
interface LateCall {
  readonly name: string;
  readonly arrive: () => Promise<Response>;
}

/** Calls that write with a lease, and so are refused when it is gone. */
const LEASED = /connector_(commit_.*|start_listing|sweep|finish_slice|store_token)$/;

/** A gate that is open. */
export interface Gate {
  /** Both the address of Drive and of the database. */
  readonly origin: string;
  /** Lets a process through that dies like this; `null`: that lives. */
  let(process: Pick<Deno.ChildProcess, "kill" | "status">, death: Death | null): void;
  /** What a dead process had under way has come to its end. */
  settle(): Promise<void>;
  /** How often each call was made since the last process was let through. */
  readonly calls: ReadonlyMap<string, number>;
  /** Late calls with the lease of a dead process that were not refused. */
  readonly accepted: readonly string[];
  stop(): Promise<void>;
}

/** A call that comes late does so at this call to the database of the next process, its claim done. */
const LATE_AT = 3;

/** Opens a gate before a Drive and a database's REST interface. */
export async function openGate(drive: DriveEmulator, databaseUrl: string): Promise<Gate> {
  const underWay = new Set<Promise<unknown>>();
  const calls = new Map<string, number>();
  const accepted: string[] = [];
  let late: LateCall | null = null;
  let kill = () => Promise.resolve();
  let fate: Death | null = null;

  /** Whether this is the call at which the process dies. */
  function isFatal(targets: readonly Target[]): boolean {
    for (const target of targets) calls.set(target, (calls.get(target) ?? 0) + 1);
    return fate !== null && targets.includes(fate.target) && calls.get(fate.target) === fate.call;
  }

  async function letLateCallArrive(): Promise<void> {
    if (late === null || calls.get("database") !== LATE_AT) return;
    const { name, arrive } = late;
    late = null;
    const { ok } = await arrive();
    if (ok && LEASED.test(name)) accepted.push(name);
  }

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const forward = await forwarding(request, databaseUrl, drive);
    const isHit = isFatal(targetsOf(pathname));
    await letLateCallArrive();
    return isHit ? await die(pathname, forward) : await forward();
  }

  /** What becomes of the call at which the process dies; nobody is there to hear the answer. */
  async function die(name: string, forward: () => Promise<Response>): Promise<Response> {
    const moment = fate?.moment;
    const arrived = moment === "after" ? await forward() : null;
    const dead = kill();
    if (moment === "meanwhile") return await forward();
    await dead;
    if (moment === "late") late = { name, arrive: forward };
    return arrived ?? new Response(null, { status: 503 });
  }

  const server: HttpServer = await serveHttp(async (request) => {
    const answering = answer(request);
    underWay.add(answering);
    try {
      return await answering;
    } finally {
      underWay.delete(answering);
    }
  }, { port: 0, hostname: "127.0.0.1" });
  return {
    origin: server.origin,
    calls,
    accepted,
    let(process, death) {
      kill = async () => {
        process.kill("SIGKILL");
        await process.status;
      };
      fate = death;
      calls.clear();
    },
    async settle() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    stop: () => server.stop(),
  };
}

function isDatabase(pathname: string): boolean {
  return pathname.startsWith("/rest/");
}

function targetsOf(pathname: string): readonly Target[] {
  if (!isDatabase(pathname)) return ["drive"];
  return pathname.includes("/rpc/connector_commit_") ? ["database", "commit"] : ["database"];
}

/** A request that can be made later too, when whoever sent it is gone. */
async function forwarding(
  request: Request,
  databaseUrl: string,
  drive: DriveEmulator,
): Promise<() => Promise<Response>> {
  const { method, headers } = request;
  const { pathname, search } = new URL(request.url);
  const body = method === "POST" ? { body: await request.text() } : {};
  if (!isDatabase(pathname)) return () => drive.fetch(request.url, { method, headers, ...body });
  headers.delete("host");
  return async () => {
    const answered = await fetch(databaseUrl + pathname + search, { method, headers, ...body });
    const type = answered.headers.get("content-type") ?? "application/json";
    return new Response(answered.status === 204 ? null : await answered.arrayBuffer(), {
      status: answered.status,
      headers: { "content-type": type },
    });
  };
}
