/** `deno task endpoint:list`: the endpoints of a project and how their syncs fare. */
import { DENO_TASK } from "../local/deno_task.ts";
import { parseFlags, wholeNumber } from "../local/flags.ts";
import { plainJson, plainText } from "../local/plain_text.ts";
import { showBytes } from "../local/show_bytes.ts";
import { dataOf, openProject } from "./project_client.ts";
import {
  liveProjectDeps,
  PROJECT_FLAGS,
  PROJECT_USAGE,
  type ProjectDeps,
  readProjectOptions,
  toStatus,
} from "./project_command.ts";
import { numberCell, showTime, statusCell } from "./show.ts";
import { type Cell, tableLines } from "./table.ts";

const USAGE = `deno task endpoint:list [flags]

Lists the endpoints of a project by name: with a key all of them, with a token the user's own.

  --limit N              most endpoints listed (100, at most 1000)

${PROJECT_USAGE}

Status: 0 listed · 2 wrong use, or the project cannot be reached`;

const COLUMNS = `id, name, endpoint_type, user_id, enabled, last_sync_status, last_sync_at,
  next_sync_at, is_running, files, bytes, token_status, last_error_code, last_error_message` as const;

const HEAD = ["id", "name", "type", "status", "last sync", "files", "size", "token", "error"];

interface Row {
  readonly id: string;
  readonly name: string;
  readonly endpoint_type: string;
  readonly enabled: boolean;
  readonly last_sync_status: string;
  readonly last_sync_at: string | null;
  readonly files: number;
  readonly bytes: number;
  readonly token_status: string | null;
  readonly last_error_code: string | null;
  readonly last_error_message: string | null;
}

/** Runs the command; answers its exit status. */
export function runEndpointList(args: readonly string[], deps: ProjectDeps): Promise<number> {
  const { terminal } = deps;
  return toStatus(terminal, async () => {
    const flags = parseFlags(args, { ...PROJECT_FLAGS, limit: { type: "string" } });
    if (flags.help) {
      terminal.line(USAGE);
      return 0;
    }
    const limit = wholeNumber("limit", flags.limit, 1, 1_000) ?? 100;
    const options = readProjectOptions(flags);
    const { db, access } = await openProject(options, deps);
    const answer = await db.from("endpoint_overview").select(COLUMNS, { count: "exact" })
      .order("name").order("id").limit(limit);
    const rows = dataOf(answer, access);
    if (options.isJson) terminal.line(plainJson(rows));
    else print(rows, answer.count ?? rows.length, terminal);
    return 0;
  });
}

function print(rows: readonly Row[], count: number, terminal: ProjectDeps["terminal"]): void {
  if (rows.length === 0) {
    terminal.line(`There are no endpoints yet: ${DENO_TASK} endpoint:add`);
    return;
  }
  for (const line of tableLines(HEAD, rows.map(cellsOf), terminal)) terminal.line(line);
  if (count > rows.length) terminal.line(`… and ${count - rows.length} more (--limit)`);
}

function cellsOf(row: Row): Cell[] {
  const { last_error_code: code, last_error_message: message } = row;
  return [
    { text: row.id },
    { text: row.name },
    { text: row.endpoint_type },
    row.enabled ? statusCell(row.last_sync_status) : { text: "disabled", style: "dim" },
    { text: showTime(row.last_sync_at) },
    numberCell(row.files),
    { text: showBytes(row.bytes), isRight: true },
    { text: row.token_status ?? "" },
    { text: code === null ? "" : `${code}: ${plainText(message ?? "")}` },
  ];
}

if (import.meta.main) Deno.exit(await runEndpointList(Deno.args, liveProjectDeps()));
