import { StackError } from "../local/failure.ts";
import { parseFlags, wholeNumber } from "../local/flags.ts";
import type { NewEndpoint } from "./new_endpoint.ts";
import {
  PROJECT_FLAGS,
  PROJECT_USAGE,
  type ProjectOptions,
  readProjectOptions,
} from "./project_command.ts";

/** How `deno task endpoint:add` is used. */
export const USAGE =
  `deno task endpoint:add --type TYPE --name NAME [--config JSON] [--user UUID] [flags]

Adds an endpoint: checks step by step whether it can be synced, then inserts the row. On a terminal
it asks for what the flags leave out.

  --type TYPE            google_drive or autodesk_construction_cloud
  --name NAME            for people
  --config JSON          its endpoint_config, such as '{"folder_id":"…"}' ({})
  --project-id ID        its project_id (that of the config, else the name)
  --user UUID            the owner, from auth.users; with --token it is the signed-in user
  --description TEXT     for people

  --interval MINUTES     sync every so many minutes (5)
  --cron EXPRESSION      or at these times: five fields, such as '0 7 * * MON-FRI'
  --timezone NAME        the time zone of --cron, such as Europe/Berlin (UTC)
  --manual               or only when asked for: deno task sync:now
  --file-types LIST      pdf,.rvt,image/* (every file)
  --max-files N          most files of one run, or none for no bound (1000)
  --disabled             not to be synced yet

  --force                insert though a check fails
  --skip-checks          insert without the checks

${PROJECT_USAGE}

Status: 0 added · 1 a check failed, there is no such user, or the database refuses the row · 2 wrong
use, or the project cannot be reached`;

/** What `deno task endpoint:add` was told; what is `undefined` may be asked for. */
export interface EndpointAddOptions extends ProjectOptions {
  readonly isHelp: boolean;
  readonly isForced: boolean;
  readonly skipsChecks: boolean;
  readonly type: string | undefined;
  readonly name: string | undefined;
  readonly config: string | undefined;
  readonly projectId: string | undefined;
  readonly user: string | undefined;
  /** Columns that nobody is asked for. */
  readonly rest: Partial<NewEndpoint>;
}

const text = { type: "string" } as const;
const yes = { type: "boolean" } as const;

/** Parses the command line of `deno task endpoint:add`. */
export function parseEndpointAddOptions(args: readonly string[]): EndpointAddOptions {
  const flags = parseFlags(args, {
    ...PROJECT_FLAGS,
    type: text,
    name: text,
    config: text,
    "project-id": text,
    user: text,
    description: text,
    interval: text,
    cron: text,
    timezone: text,
    manual: yes,
    "file-types": text,
    "max-files": text,
    disabled: yes,
    force: yes,
    "skip-checks": yes,
  });
  if (flags.token !== undefined && flags.user !== undefined) {
    throw new StackError("Cannot use --user with --token: the signed-in user owns the endpoint");
  }
  if (flags.timezone !== undefined && flags.cron === undefined) {
    throw new StackError("Cannot use --timezone without --cron: nothing else has a time of day");
  }
  const { type, name, config, user, description, timezone } = flags;
  return {
    ...readProjectOptions(flags),
    isHelp: flags.help ?? false,
    isForced: flags.force ?? false,
    skipsChecks: flags["skip-checks"] ?? false,
    type,
    name,
    config,
    projectId: flags["project-id"],
    user,
    rest: {
      ...schedule(flags),
      ...(description === undefined ? {} : { description }),
      ...(timezone === undefined ? {} : { timezone }),
      ...(flags.disabled === true ? { enabled: false } : {}),
      ...fileTypes(flags["file-types"]),
      ...maxFiles(flags["max-files"]),
    },
  };
}

function schedule({ interval, cron, manual }: {
  readonly interval?: string | undefined;
  readonly cron?: string | undefined;
  readonly manual?: boolean | undefined;
}): Partial<NewEndpoint> {
  const given = [interval, cron, manual].filter((flag) => flag !== undefined);
  if (given.length > 1) {
    throw new StackError("Cannot use more than one of --interval, --cron and --manual");
  }
  if (manual === true) return { schedule_type: "manual" };
  if (cron !== undefined) return { schedule_type: "cron", schedule_cron: fiveFields(cron) };
  const minutes = wholeNumber("interval", interval, 1, 525_600);
  return minutes === undefined ? {} : { schedule_type: "interval", interval_minutes: minutes };
}

/** The database knows the whole rule; this much needs no call of a provider before it is told. */
function fiveFields(cron: string): string {
  if (cron.trim().split(/\s+/).length === 5) return cron;
  throw new StackError(
    "Cannot use --cron as it must have five fields (minute, hour, day, month, weekday), such as " +
      `'0 7 * * MON-FRI': current value is "${cron}"`,
  );
}

function fileTypes(list: string | undefined): Partial<NewEndpoint> {
  if (list === undefined) return {};
  const types = list.split(",").map((type) => type.trim()).filter((type) => type !== "");
  if (types.length > 0) return { file_types: types };
  throw new StackError("Cannot use --file-types as it must be a list, such as pdf,.rvt,image/*");
}

function maxFiles(value: string | undefined): Partial<NewEndpoint> {
  if (value === "none") return { max_files_per_sync: null };
  const number = wholeNumber("max-files", value, 1, 999_999_999);
  return number === undefined ? {} : { max_files_per_sync: number };
}
