/** A provider whose pages come from memory, read as the test says. */
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type {
  FileRecord,
  Page,
  Provider,
  ProviderContext,
  ProviderLimits,
  Task,
} from "../../supabase/functions/_shared/providers/types.ts";

/** What an endpoint of the scripted provider names: a drive of {@linkcode Script.drives}. */
export interface ScriptedConfig {
  readonly source: string;
}

/** What the provider holds and what happens on the way. */
export interface Script {
  /** Files by drive, then by part; each part is one task. */
  readonly drives: Map<string, ReadonlyMap<string, readonly FileRecord[]>>;
  readonly limits?: Partial<ProviderLimits>;
  /** Runs before a page is read; may wait or throw. */
  onRead?: (task: Task, context: ProviderContext<ScriptedConfig>) => Promise<void>;
  /** Changes a page before the engine gets it. */
  onPage?: (page: Page, task: Task) => Page;
}

/** A page as it was asked for. */
export interface AskedPage {
  readonly part: string;
  readonly offset: number;
  readonly pageSize: number;
}

/** Creates the provider; `asked` fills with the pages read. */
export function createScriptedProvider(
  script: Script,
  asked: AskedPage[] = [],
): Provider<ScriptedConfig> {
  return {
    key: "scripted",
    displayName: "Scripted",
    limits: { maxPageSize: 10, maxParallelTasks: 4, foldersPerTask: 50, ...script.limits },
    parseConfig(stored) {
      if (
        typeof stored === "object" && stored !== null && "source" in stored &&
        typeof stored.source === "string"
      ) return { source: stored.source };
      throw new SyncError("config_invalid", "endpoint_config must name a source.");
    },
    parseSettings: () => ({ apiUrl: API_URL, tokenUrl: `${API_URL}/token`, credentials: null }),
    issueToken: () =>
      Promise.resolve({
        access_token: "scripted",
        token_type: "Bearer",
        scope: null,
        expires_at: new Date("2100-01-01"),
      }),
    startListing({ config }) {
      const parts = script.drives.get(config.source);
      if (parts === undefined) {
        return Promise.reject(new SyncError("scope_not_found", "There is no such drive."));
      }
      return Promise.resolve({
        roots: [],
        walk: [],
        seeds: [...parts.keys()].map((key) => ({
          kind: "part",
          key,
          cursor: { part: key, offset: 0 },
        })),
        parked_cursor: null,
      });
    },
    async readPage(task, context) {
      const { part, offset } = readCursor(task.cursor);
      asked.push({ part, offset, pageSize: context.pageSize });
      await script.onRead?.(task, context);
      const files = script.drives.get(context.config.source)?.get(part) ?? [];
      const end = offset + context.pageSize;
      const page: Page = {
        files: files.slice(offset, end),
        folders: [],
        walk: [],
        seeds: [],
        skipped: [],
        receipt: { pages: 1 },
        next: end < files.length
          ? { type: "more", cursor: { part, offset: end } }
          : { type: "done" },
      };
      return script.onPage?.(page, task) ?? page;
    },
    classify: () => null,
  };
}

/** Where the scripted provider would be. */
export const API_URL = "https://provider.example";

function readCursor(cursor: unknown): { readonly part: string; readonly offset: number } {
  if (
    typeof cursor === "object" && cursor !== null && "part" in cursor && "offset" in cursor &&
    typeof cursor.part === "string" && typeof cursor.offset === "number"
  ) return { part: cursor.part, offset: cursor.offset };
  throw new SyncError("cursor_expired", "The cursor is not one of this provider's.");
}

/** `count` files with ids that begin with `prefix`. */
export function scriptedFiles(count: number, prefix: string): FileRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    external_file_id: `${prefix}-${index}`,
    external_parent_id: null,
    file_name: `${prefix} ${index}.txt`,
    file_link: `${API_URL}/${prefix}-${index}`,
    file_size: "1",
    file_type: "txt",
    mime_type: "text/plain",
    external_created_at: null,
    external_updated_at: null,
    file_metadata: {},
  }));
}

/** A drive of one part. */
export function onePart(files: readonly FileRecord[]): ReadonlyMap<string, readonly FileRecord[]> {
  return new Map([["all", files]]);
}
