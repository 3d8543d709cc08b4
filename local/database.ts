/** The database of the embedded stack: PostgreSQL as a Supabase project has it. */

import { resolve } from "node:path";
import postgres from "postgres";
import { PLATFORM_EXTENSIONS } from "./extensions/stand_ins.ts";
import { oneLine, StackError } from "./failure.ts";
import { PASSWORD, SUPERUSER } from "./postgres/cluster.ts";
import { removeData } from "./postgres/data_directory.ts";
import { stopServer } from "./postgres/server.ts";
import { type LocalServer, startLocalServer } from "./postgres/start.ts";
import { superviseServer } from "./postgres/supervised.ts";
import type { ManagedProcess } from "./processes.ts";
import { launchWorker, startWorker } from "./worker/start.ts";
import { type SupervisedWorker, superviseWorker } from "./worker/supervised.ts";

export { hasSystemPostgres } from "./postgres/installation.ts";

/** Which database to use, and how. */
export interface DatabaseOptions {
  /** PostgreSQL from npm, Debian's packages on this machine, or a server that is there already. */
  readonly server: "embedded" | "system" | { readonly url: string };
  /** The folder for data, logs and records. */
  readonly stateDir: string;
  /** Port on 127.0.0.1; a free one when 0 or absent. */
  readonly port?: number;
  /** False trades safety on power loss for speed: for tests. True unless told. */
  readonly durable?: boolean;
  /** Throws away what an earlier start kept. */
  readonly reset?: boolean;
  /** Starts the server again when it crashes. False unless told. */
  readonly isSupervised?: boolean;
  /** Told, in one line, what a person may want to know. */
  readonly log?: (line: string) => void;
}

/** A database that answers. */
export interface Database {
  /** Connects as `supabase_admin`, or as whoever the given URL names. */
  readonly superuserUrl: string;
  /** Connects as `postgres`, the role of migrations. */
  readonly postgresUrl: string;
  /** Connects as `authenticator`, the role of the REST server; not known for a given URL. */
  readonly authenticatorUrl?: string;
  readonly port: number;
  /** Extensions that are stand-ins here and need the worker. */
  readonly standIns: readonly string[];
  /** Process id of the server, as it is at the moment; not known for a given URL. */
  readonly pid?: number;
  /** Resolves when the server has ended for good, wanted or not; absent for a given URL. */
  readonly ended?: Promise<void>;
  /** Starts the process that drives the stand-ins; null when the server has the real extensions. */
  startWorker(): Promise<ManagedProcess | null>;
  /** As {@linkcode Database.startWorker}, and starts it again whenever it dies. */
  keepWorker(): Promise<SupervisedWorker | null>;
  /** Stops the server and keeps the data. A server given by URL is left alone. */
  stop(): Promise<void>;
  /** Stops the server and removes the data, wherever it lies. */
  remove(): Promise<void>;
}

/** Starts the database, or connects to the given one. Throws StackError with one clear line. */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const { server: choice } = options;
  const stateDir = resolve(options.stateDir);
  if (typeof choice !== "string") return await openGivenDatabase(choice.url, stateDir, options.log);
  const server = await startLocalServer({
    source: choice,
    stateDirectory: stateDir,
    port: options.port ?? 0,
    durable: options.durable ?? true,
    reset: options.reset ?? false,
    log: options.log ?? (() => {}),
  });
  const urlOf = (role: string) =>
    `postgresql://${role}:${PASSWORD}@127.0.0.1:${server.port}/postgres`;
  const { log = () => {} } = options;
  const { pid, ended, stop } = options.isSupervised === true
    ? superviseServer({ first: server.process, start: server.restart, log })
    : unsupervised(server);
  try {
    const standIns = await withConnection(urlOf(SUPERUSER), async (sql) => {
      await bootstrap(sql);
      return await findStandIns(sql);
    });
    return {
      superuserUrl: urlOf(SUPERUSER),
      postgresUrl: urlOf("postgres"),
      authenticatorUrl: urlOf("authenticator"),
      port: server.port,
      standIns,
      get pid() {
        return pid();
      },
      ended,
      ...workersOf(urlOf(SUPERUSER), standIns, stateDir, log),
      stop,
      async remove() {
        await stop();
        await removeData(stateDir);
      },
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

function unsupervised({ process }: LocalServer) {
  return {
    pid: () => process.pid,
    ended: process.exited.then(() => {}),
    stop: () => stopServer(process),
  };
}

function workersOf(
  url: string,
  standIns: readonly string[],
  stateDir: string,
  log: (line: string) => void,
): Pick<Database, "startWorker" | "keepWorker"> {
  const startFirst = () => startWorker(url, standIns, stateDir);
  return {
    startWorker: startFirst,
    async keepWorker() {
      const first = await startFirst();
      // The next one waits for the database by itself.
      const start = () => launchWorker(url, standIns, stateDir);
      return first === null ? null : superviseWorker({ first, start, log });
    },
  };
}

/** Makes a new cluster look like a Supabase project, in one transaction. */
async function bootstrap(sql: postgres.Sql): Promise<void> {
  const [row] = await sql`select to_regnamespace('auth') is not null as is_done`;
  if (row?.["is_done"] === true) return;
  const text = await Deno.readTextFile(new URL("postgres/bootstrap.sql", import.meta.url));
  await sql.unsafe(text).simple();
  // Without durability a crash takes the last moments along: not these.
  await sql`checkpoint`;
}

/** Our control files say in their comment that they are stand-ins. */
async function findStandIns(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select extname as name from pg_extension
    where obj_description(oid, 'pg_extension') like 'stand-in for %'
    order by extname`;
  return rows.map(({ name }) => name);
}

async function openGivenDatabase(
  url: string,
  stateDir: string,
  log: (line: string) => void = () => {},
): Promise<Database> {
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new StackError("--database-url must be of the form postgresql://user:password@host/name");
  }
  await Deno.mkdir(stateDir, { recursive: true });
  const standIns = await withConnection(url, async (sql) => {
    await refuseUnlessSupabase(sql);
    return await findStandIns(sql);
  });
  const postgresUrl = new URL(url);
  postgresUrl.username = "postgres";
  return {
    superuserUrl: url,
    postgresUrl: postgresUrl.href,
    port: Number(postgresUrl.port || 5432),
    standIns,
    ...workersOf(url, standIns, stateDir, log),
    stop: () => Promise.resolve(),
    remove: () => Promise.resolve(),
  };
}

async function refuseUnlessSupabase(sql: postgres.Sql): Promise<void> {
  const [facts] = await sql<[{ is_superuser: boolean; extensions: string[]; roles: string[] }]>`
    select
      (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
      (select coalesce(array_agg(name::text), '{}') from pg_available_extensions) as extensions,
      (select coalesce(array_agg(rolname::text), '{}') from pg_roles) as roles`;
  if (!facts.is_superuser) {
    throw new StackError("The given database URL must be a superuser's (Supabase: supabase_admin)");
  }
  const extensions = PLATFORM_EXTENSIONS.filter((name) => !facts.extensions.includes(name));
  if (extensions.length > 0) {
    throw new StackError(`The given database has no extension ${extensions.join(", ")}`);
  }
  const roles = ["anon", "authenticated", "service_role", "postgres"]
    .filter((name) => !facts.roles.includes(name));
  if (roles.length > 0) {
    throw new StackError(`The given database has no role ${roles.join(", ")}: it is no Supabase`);
  }
}

async function withConnection<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    return await use(sql);
  } catch (cause) {
    if (cause instanceof StackError) throw cause;
    throw new StackError(`Cannot prepare the database: ${oneLine(cause)}`, { cause });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
