import { join } from "node:path";
import { DENO_TASK } from "../deno_task.ts";
import { defaultStateDir } from "../paths.ts";
import type { StackFile } from "../stack_file.ts";

/** What {@linkcode summaryLines} speaks of. */
export interface SummaryInput {
  readonly stack: StackFile;
  readonly stateDir: string;
  /** The folder whose files are synced; null when it is generated or there is no demo. */
  readonly folder: string | null;
  readonly hasDemo: boolean;
}

function standInLine(standIns: readonly string[]): string {
  return standIns.length === 0
    ? "none: every part is the real one"
    : `${standIns.join(", ")} (same objects and protocol, driven by this program)`;
}

function queryLines({ stack, stateDir }: SummaryInput): string[] {
  const [owner] = stack.users;
  const where = stateDir === defaultStateDir() ? "" : ` --state-dir '${stateDir}'`;
  const token = `${DENO_TASK} --quiet token --user ${owner?.id ?? "UUID"}${where}`;
  return [
    "Query the files with SQL:",
    `  psql '${stack.db_url}' \\`,
    `    -c 'select file_path, file_size, sync_status from files order by file_path limit 10'`,
    `Query them with curl, as ${owner?.email ?? "a user"}:`,
    `  curl '${stack.rest_url}/files?select=file_path,file_size&order=file_path&limit=10' \\`,
    `    -H 'apikey: ${stack.publishable_key}' \\`,
    `    -H "Authorization: Bearer $(${token})"`,
  ];
}

/** Prints the secret key, which is not for the terminal: what is shown there is kept in logs. */
function secretKeyCommand({ stateDir }: SummaryInput): string {
  return `grep -o 'sb_secret_[A-Za-z0-9_-]*' '${join(stateDir, "stack.json")}'`;
}

function googleLines(): string[] {
  return [
    "Sync a real Google Drive folder:",
    "  1. put the service account's JSON, on one line, into supabase/functions/.env:",
    '     CONNECTOR_GOOGLE_DRIVE_CREDENTIALS=\'{"type":"service_account",…}\'',
    "  2. share the folder with the account's client_email (Viewer is enough)",
    `  3. ${DENO_TASK} start --no-demo, then:`,
    "     insert into endpoints (name, endpoint_type, project_id, user_id, endpoint_config) values",
    "       ('My folder', 'google_drive', 'my-project', '11111111-1111-4111-8111-111111111111',",
    '        \'{"folder_id": "…"}\');',
  ];
}

/** Returns the lines that tell a person what runs and how to look at it. */
export function summaryLines(input: SummaryInput): string[] {
  const { stack, folder } = input;
  return [
    `Stand-ins here: ${standInLine(stack.stand_ins)}`,
    `Health:  curl ${stack.functions_url}/health`,
    `Status:  curl ${stack.functions_url}/status \\`,
    `           -H "apikey: $(${secretKeyCommand(input)})"`,
    "",
    ...queryLines(input),
    "",
    ...googleLines(),
    ...(input.hasDemo && folder !== null
      ? ["", `Add, change or delete a file below ${folder}: the table follows within two minutes.`]
      : []),
  ];
}
