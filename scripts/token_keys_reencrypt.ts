import type { SupabaseClient } from "@supabase/supabase-js";
import { decodeProtectedHeader } from "jose";
import { z } from "zod";
import { StackError } from "../local/failure.ts";
import { SyncError } from "../supabase/functions/_shared/errors.ts";
import type { TokenVault } from "../supabase/functions/_shared/oauth/token_vault.ts";

/** What {@linkcode reencrypt} needs. */
export interface ReencryptOptions {
  readonly client: Pick<SupabaseClient, "from">;
  readonly vault: TokenVault;
  /** The id of the key that seals. */
  readonly newest: string;
  readonly isDryRun: boolean;
  readonly onProgress: (counts: Reencryption) => void;
  readonly pageSize?: number;
}

/** What was done to the tokens. */
export interface Reencryption {
  /** Sealed again; in a dry run, to be. */
  readonly sealed: number;
  /** Sealed with the newest key before. */
  readonly current: number;
  /** Replaced by a sync whenever they were about to be sealed again. */
  readonly changed: number;
  /** Unreadable, but of the application's own: the endpoint's next sync replaces them. */
  readonly disposable: number;
  readonly unreadable: readonly Unreadable[];
}

/** A token that cannot be opened, and why. */
export interface Unreadable {
  readonly endpointId: string;
  readonly message: string;
}

const PAGE_SIZE = 200;
const PARALLEL = 8;

/** How often a token is looked at that a sync replaced in between. */
const ATTEMPTS = 5;

const Row = z.object({
  id: z.string(),
  endpoint_id: z.string(),
  access_token: z.string(),
  refresh_token: z.string().nullable(),
  generation: z.number(),
  grant_type: z.enum(["application", "user"]),
});

type Row = z.infer<typeof Row>;

const COLUMNS = Object.keys(Row.shape).join(",");

type Outcome =
  | { readonly type: "sealed" | "current" | "changed" | "disposable" }
  | { readonly type: "unreadable"; readonly unreadable: Unreadable };

/**
 * Seals again, with the newest key, the tokens that were sealed with another. A token that a sync
 * replaces meanwhile is left as the sync stored it. Retired tokens stay as they are: nobody opens
 * them any more.
 */
export async function reencrypt(options: ReencryptOptions): Promise<Reencryption> {
  let counts: Reencryption = {
    sealed: 0,
    current: 0,
    changed: 0,
    disposable: 0,
    unreadable: [],
  };
  for (let after: string | null = null;;) {
    const rows = await readPage(options, after);
    for (let first = 0; first < rows.length; first += PARALLEL) {
      const some = rows.slice(first, first + PARALLEL);
      const outcomes = await Promise.all(some.map((row) => sealRow(row, options)));
      counts = outcomes.reduce(add, counts);
      options.onProgress(counts);
    }
    const last = rows.at(-1);
    if (last === undefined) return counts;
    after = last.id;
  }
}

function add(counts: Reencryption, outcome: Outcome): Reencryption {
  if (outcome.type !== "unreadable") {
    return { ...counts, [outcome.type]: counts[outcome.type] + 1 };
  }
  return { ...counts, unreadable: [...counts.unreadable, outcome.unreadable] };
}

async function readPage(
  { client, pageSize = PAGE_SIZE }: ReencryptOptions,
  after: string | null,
): Promise<Row[]> {
  const query = client.from("oauth_tokens").select(COLUMNS).eq("is_active", true)
    .order("id").limit(pageSize);
  return readRows(await (after === null ? query : query.gt("id", after)));
}

async function readAgain({ client }: ReencryptOptions, id: string): Promise<Row | null> {
  const query = client.from("oauth_tokens").select(COLUMNS).eq("is_active", true).eq("id", id);
  return readRows(await query)[0] ?? null;
}

async function sealRow(read: Row, options: ReencryptOptions): Promise<Outcome> {
  let row: Row | null = read;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    // Retired meanwhile: there is nothing left to seal.
    if (row === null) return { type: "current" };
    const outcome = await sealOnce(row, options);
    if (outcome.type !== "changed") return outcome;
    row = await readAgain(options, row.id);
  }
  return { type: "changed" };
}

async function sealOnce(row: Row, options: ReencryptOptions): Promise<Outcome> {
  try {
    const access_token = await sealValue(row.access_token, row, options);
    const refresh_token = row.refresh_token === null
      ? null
      : await sealValue(row.refresh_token, row, options);
    if (access_token === null && refresh_token === null) return { type: "current" };
    if (options.isDryRun) return { type: "sealed" };
    const isWritten = await write(options, row, {
      ...(access_token === null ? {} : { access_token }),
      ...(refresh_token === null ? {} : { refresh_token }),
    });
    return { type: isWritten ? "sealed" : "changed" };
  } catch (cause) {
    if (!(cause instanceof SyncError)) throw cause;
    if (row.grant_type === "application") return { type: "disposable" };
    const unreadable = { endpointId: row.endpoint_id, message: cause.message };
    return { type: "unreadable", unreadable };
  }
}

/** The value sealed with the newest key; `null` where it is. Opened in any case: it may be damaged. */
async function sealValue(
  sealed: string,
  { endpoint_id }: Row,
  { vault, newest }: ReencryptOptions,
): Promise<string | null> {
  const opened = await vault.open(sealed, endpoint_id);
  if (decodeProtectedHeader(sealed).kid === newest) return null;
  return await vault.seal(opened, endpoint_id);
}

/** Writes unless the token was replaced or retired: whatever a sync stored is newer. */
async function write(
  { client }: ReencryptOptions,
  { id, generation }: Row,
  values: Readonly<Record<string, string>>,
): Promise<boolean> {
  const answer = await client.from("oauth_tokens").update(values)
    .eq("id", id).eq("generation", generation).eq("is_active", true).select(COLUMNS);
  return readRows(answer).length > 0;
}

interface Answer {
  readonly data: unknown;
  readonly error: { readonly message: string } | null;
  readonly status: number;
}

function readRows({ data, error, status }: Answer): Row[] {
  if (error !== null) {
    const what = status === 0 ? error.message : `it answered with status ${status}`;
    throw new StackError(`Cannot read or write the stored tokens: ${what}`);
  }
  const rows = z.array(Row).safeParse(data);
  if (rows.success) return rows.data;
  throw new StackError("Cannot read the stored tokens: apply the migrations of this version first");
}
