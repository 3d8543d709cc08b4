import postgres from "postgres";
import { z } from "zod";
import { inTransaction } from "../transaction.ts";
import { type Catalog, loadCatalog, type Setting } from "./catalog.ts";
import { RestFailure } from "./failure.ts";

/** One statement with all that must hold around it. */
export interface Work {
  readonly sql: string;
  readonly values: readonly string[];
  readonly isReadOnly: boolean;
  readonly isolation: string | null;
  /** Settings of the transaction, in order; `role` is one of them. */
  readonly settings: readonly Setting[];
}

const resultRow = z.object({
  total: z.string().nullable(),
  page: z.string(),
  body: z.string().nullable(),
  inserted: z.string().nullable(),
  key: z.string().nullable(),
  status: z.string().nullable(),
  headers: z.string().nullable(),
});

/** What every statement answers: one row of text. */
export type ResultRow = z.infer<typeof resultRow>;

/** The database as the REST stand-in uses it. */
export interface RestDatabase {
  /** The names of the exposed schema, read again after `notify pgrst`. */
  catalog(): Promise<Catalog>;
  /** Forgets the catalog, so that the next call reads it. */
  forgetCatalog(): void;
  /** Runs one statement in its own transaction; `check` may throw to undo it. */
  run(work: Work, check: (row: ResultRow) => void): Promise<ResultRow>;
  close(): Promise<void>;
}

/** How to reach the database. */
export interface RestDatabaseOptions {
  readonly databaseUrl: string;
  readonly poolSize: number;
  readonly acquisitionTimeoutMs: number;
}

const text = (from: number[]) => ({
  to: from[0] ?? 0,
  from,
  serialize: (value: string) => value,
  parse: (value: string) => value,
});

/** Values go both ways as text: Postgres reads and writes them, not the driver. */
const TEXT_TYPES = {
  number: text([0, 21, 23, 26, 700, 701]),
  json: text([114, 3802]),
  boolean: text([16]),
  date: text([1184, 1082, 1114]),
  bytea: text([17]),
};

/** Opens the pool; connections are made when they are needed. */
export function openRestDatabase(options: RestDatabaseOptions): RestDatabase {
  const sql = postgres(options.databaseUrl, {
    max: options.poolSize,
    fetch_types: false,
    types: TEXT_TYPES,
    onnotice: () => {},
    connect_timeout: 10,
    connection: { application_name: "rest-stand-in" },
  });
  const slots = new Slots(options.poolSize, options.acquisitionTimeoutMs);
  let loading: Promise<Catalog> | null = null;
  let listening: Promise<unknown> | null = null;

  function forgetCatalog(): void {
    loading = null;
  }

  async function listen(): Promise<void> {
    listening ??= sql.listen("pgrst", (payload) => {
      if (payload === "" || payload === "reload schema" || payload === "reload config") {
        forgetCatalog();
      }
    }, forgetCatalog);
    try {
      await listening;
    } catch (cause) {
      listening = null;
      throw cause;
    }
  }

  async function catalog(): Promise<Catalog> {
    await listen();
    const current = loading ?? loadCatalog(sql);
    loading = current;
    try {
      return await current;
    } catch (cause) {
      if (loading === current) forgetCatalog();
      throw cause;
    }
  }

  return {
    catalog,
    forgetCatalog,
    run: (work, check) => slots.use(() => runInTransaction(sql, work, check)),
    close: () => sql.end({ timeout: 5 }),
  };
}

async function runInTransaction(
  sql: postgres.Sql,
  work: Work,
  check: (row: ResultRow) => void,
): Promise<ResultRow> {
  const isolation = work.isolation === null ? "" : `isolation level ${work.isolation} `;
  const mode = `${isolation}${work.isReadOnly ? "read only" : "read write"}`;
  return await inTransaction(sql, mode, async (tx) => {
    const names = work.settings.flat();
    const calls = work.settings.map((_, index) =>
      `set_config($${index * 2 + 1}, $${index * 2 + 2}, true)`
    );
    // Sent together: where the settings fail, the transaction is dead before the statement starts.
    const [, rows] = await Promise.all([
      tx.unsafe(`select ${calls.join(", ")}`, names, { prepare: true }),
      tx.unsafe(work.sql, [...work.values], { prepare: true }),
    ]);
    const row = resultRow.parse(rows[0]);
    check(row);
    return row;
  });
}

/** Bounds how many requests use the pool, and how long one waits for its turn. */
class Slots {
  private free: number;
  private readonly timeoutMs: number;
  private readonly waiting = new Set<() => void>();

  constructor(size: number, timeoutMs: number) {
    this.free = size;
    this.timeoutMs = timeoutMs;
  }

  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.acquire();
    try {
      return await work();
    } finally {
      this.release();
    }
  }

  private async acquire(): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.waiting.delete(resolve);
      const message = "Timed out acquiring connection from connection pool.";
      reject(new RestFailure(504, "PGRST003", message));
    }, this.timeoutMs);
    this.waiting.add(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  private release(): void {
    const next = this.waiting.values().next();
    if (next.done === true) {
      this.free += 1;
      return;
    }
    this.waiting.delete(next.value);
    next.value();
  }
}
