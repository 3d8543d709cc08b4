import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { decodeJwt } from "jose";
import { oneLine, StackError } from "../local/failure.ts";
import type { Database } from "../supabase/functions/_shared/db/database.types.ts";
import { findProject, type ProjectAccess } from "./project_access.ts";
import { type ProjectDeps, type ProjectOptions, Refusal } from "./project_command.ts";

const LONGEST_WAIT_MS = 30_000;

/** A project's Data API, asked as the one whom the flags name. */
export interface ProjectClient {
  readonly access: ProjectAccess;
  readonly db: SupabaseClient<Database>;
  /** The signed-in user, or `null` with a secret key. */
  readonly userId: string | null;
}

/** Finds the project and says on standard error which one it is. */
export async function openProject(
  options: ProjectOptions,
  deps: ProjectDeps,
): Promise<ProjectClient> {
  const { project, stateDir } = options;
  const access = await findProject(project, { ...deps, stateDir });
  const userId = project.token === undefined ? null : subjectOf(project.token);
  const apiKey = project.token === undefined ? access.headers["apikey"] : access.publishableKey;
  if (apiKey === undefined) {
    throw new StackError(
      "Cannot use --token without the project's publishable key: give --publishable-key, or set " +
        "SUPABASE_PUBLISHABLE_KEY",
    );
  }
  const db = createClient<Database>(access.url, apiKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    db: { retry: false },
    global: {
      headers: { ...access.headers, apikey: apiKey },
      fetch: (input, init) =>
        deps.fetch(input, {
          ...init,
          // The key goes to the project and nowhere else.
          redirect: "error",
          signal: AbortSignal.timeout(LONGEST_WAIT_MS),
        }),
    },
  });
  // Apart from the answer, which may go into a file or another program.
  deps.terminal.error(`asking ${access.url} (from ${access.source})`);
  return { access, db, userId };
}

function subjectOf(token: string): string {
  try {
    const { sub } = decodeJwt(token);
    if (sub !== undefined) return sub;
  } catch {
    // The parser's message would say nothing about the flag.
  }
  throw new StackError("Cannot use --token as it must be the access token of a signed-in user");
}

/** What supabase-js answers. */
interface Answer<Data> {
  readonly data: Data | null;
  readonly error:
    | { readonly message: string; readonly hint?: string | null; readonly code?: string }
    | null;
  readonly status: number;
  readonly count?: number | null;
}

/**
 * Returns what an answer holds. A refusal becomes a {@linkcode Refusal} with the database's own
 * sentence and hint; a project that does not answer, or does not know the caller, a `StackError`.
 */
export function dataOf<Data>({ data, error, status }: Answer<Data>, access: ProjectAccess): Data {
  if (error === null && data !== null) return data;
  const message = oneLine(error?.message || `HTTP status ${status} and no data`);
  if (status === 0) {
    throw new StackError(`Cannot reach ${access.url} (from ${access.source}): ${message}`);
  }
  if (status === 401) throw new StackError(`${access.url} does not know the caller: ${message}`);
  if (error?.code === "PGRST205" || error?.code === "PGRST202") {
    throw new StackError(
      `Cannot find the tables of File Connector in ${access.url}: apply the migrations first ` +
        `(${message})`,
    );
  }
  if (status >= 500 || status === 404 && error?.code !== "PT404") {
    throw new StackError(`${access.url} answered with HTTP status ${status}: ${message}`);
  }
  const hint = error?.hint ? ` (${oneLine(error.hint)})` : "";
  throw new Refusal(`${message}${hint}`);
}
