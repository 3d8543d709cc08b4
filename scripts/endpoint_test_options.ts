import { resolve } from "node:path";
import { z } from "zod";
import { StackError } from "../local/failure.ts";
import { parseFlags } from "../local/flags.ts";
import { defaultStateDir } from "../local/paths.ts";
import { readEndpointId } from "./endpoint_id.ts";
import type { ProjectFlags } from "./project_access.ts";

/** How `deno task endpoint:test` is used. */
export const USAGE = `deno task endpoint:test --id UUID [flags]
deno task endpoint:test --type TYPE [--config JSON] [--project-id ID] [flags]

Checks step by step whether an endpoint can be synced, and says what to do where it cannot: one that
is stored (--id), or one that you are about to create. Nothing is written.

  --id UUID         the endpoint to check
  --type TYPE       google_drive or autodesk_construction_cloud
  --config JSON     its endpoint_config ({})
  --project-id ID   its project_id

  --url URL         the Supabase project (SUPABASE_URL)
  --key KEY         a secret key of it (SUPABASE_SECRET_KEY); checks every endpoint
  --token JWT       in place of a key: a signed-in user's access token; checks their own endpoints
  --state-dir DIR   where the local stack keeps its state
  --json            the answer as JSON
  --help            this text

Address and key come from the flags, else from the environment, from .env, or from the stack that
runs on this machine (deno task start). Keep keys out of the shell's history: use the environment.

Status: 0 every check passed · 1 a check failed · 2 wrong use, or the function cannot be reached`;

/** What the function is asked. */
export type TestRequest =
  | { readonly endpoint_id: string }
  | {
    readonly endpoint_type: string;
    readonly endpoint_config: Readonly<Record<string, unknown>>;
    readonly project_id?: string;
  };

/** What `deno task endpoint:test` was asked to do. */
export interface EndpointTestOptions {
  readonly isHelp: boolean;
  readonly isJson: boolean;
  readonly request: TestRequest;
  readonly project: ProjectFlags;
  readonly stateDir: string;
}

const ConfigObject = z.record(z.string(), z.unknown());

/** Parses the command line of `deno task endpoint:test`. */
export function parseEndpointTestOptions(args: readonly string[]): EndpointTestOptions {
  const text = { type: "string" } as const;
  const flags = parseFlags(args, {
    id: text,
    type: text,
    config: text,
    "project-id": text,
    url: text,
    key: text,
    token: text,
    "state-dir": text,
    json: { type: "boolean" },
    help: { type: "boolean" },
  });
  const isHelp = flags.help ?? false;
  const { id, type, config, url, key, token } = flags;
  return {
    isHelp,
    isJson: flags.json ?? false,
    request: isHelp
      ? { endpoint_id: "" }
      : readRequest({ id, type, config, projectId: flags["project-id"] }),
    project: { url, key, token },
    stateDir: resolve(flags["state-dir"] ?? defaultStateDir()),
  };
}

function readRequest({ id, type, config, projectId }: {
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly config: string | undefined;
  readonly projectId: string | undefined;
}): TestRequest {
  if (id !== undefined) {
    if ((type ?? config ?? projectId) !== undefined) {
      throw new StackError("Cannot use --id with --type, --config or --project-id (see --help)");
    }
    return { endpoint_id: readEndpointId(id) };
  }
  if (type === undefined) throw new StackError("Cannot test: give --id or --type (see --help)");
  return {
    endpoint_type: type,
    endpoint_config: config === undefined ? {} : parseConfig(config),
    ...(projectId === undefined ? {} : { project_id: projectId }),
  };
}

function parseConfig(text: string): Readonly<Record<string, unknown>> {
  try {
    return ConfigObject.parse(JSON.parse(text));
  } catch (cause) {
    throw new StackError(
      `Cannot use --config as it must be a JSON object, such as '{"folder_id":"…"}'`,
      { cause },
    );
  }
}
