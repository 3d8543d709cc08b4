/** A provider whose pages come from memory, read as the test says. */
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type {
  AbsenceVerdicts,
  AbsentItem,
  ChangePage,
  Feed,
  FileRecord,
  FolderRecord,
  OAuthProfile,
  Page,
  Provider,
  ProviderContext,
  ProviderLimits,
  RemovalReason,
  Task,
} from "../../supabase/functions/_shared/providers/types.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";

/** What an endpoint of the scripted provider names: a drive of {@linkcode Script.drives}. */
export interface ScriptedConfig {
  readonly source: string;
}

/** One entry of a change log. */
export type ScriptedChange =
  | { readonly file: FileRecord }
  | { readonly folder: FolderRecord }
  | { readonly removed: string; readonly reason: RemovalReason };

/** What the provider holds and what happens on the way. */
export interface Script {
  /** Files by drive, then by part; each part is one task. */
  readonly drives: Map<string, ReadonlyMap<string, readonly FileRecord[]>>;
  /** Change logs by drive, then by key; their cursors count entries. */
  readonly logs?: Map<string, ReadonlyMap<string, ScriptedChange[]>>;
  readonly limits?: Partial<ProviderLimits>;
  /** What is different about how people connect their accounts. */
  readonly profile?: Partial<OAuthProfile>;
  /** Runs before a page is read; may wait or throw. */
  onRead?: (task: Task, context: ProviderContext<ScriptedConfig>) => Promise<void>;
  /** Changes a page before the engine gets it. */
  onPage?: (page: Page, task: Task, context: ProviderContext<ScriptedConfig>) => Page;
  /** Makes it a provider without change logs, whose listings confirm absence. */
  readonly onAbsent?: (
    items: readonly AbsentItem[],
    context: ProviderContext<ScriptedConfig>,
  ) => Promise<Partial<AbsenceVerdicts>>;
  /** Runs before a listing is started. */
  onStart?: (context: ProviderContext<ScriptedConfig>) => void;
  /** Runs before a page of a log is read; may wait or throw. */
  onChanges?: (feed: Feed, context: ProviderContext<ScriptedConfig>) => Promise<void>;
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
  const logsOf = (source: string) => script.logs?.get(source) ?? new Map<string, never>();
  return {
    key: "scripted",
    displayName: "Scripted",
    limits: { maxPageSize: 10, maxParallelTasks: 4, foldersPerTask: 50, ...script.limits },
    scopes: ["files:read"],
    incremental: script.onAbsent === undefined ? "feed" : "walk",
    configKeys: ["source"],
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
    oauthProfile: () => ({
      authorizeUrl: `${API_URL}/authorize`,
      tokenUrl: `${API_URL}/token`,
      revokeUrl: `${API_URL}/revoke`,
      clientId: "scripted-client",
      clientSecret: new Secret("scripted-secret"),
      clientAuthentication: "body",
      scopes: ["files:read"],
      authorizeParameters: {},
      refreshTokenDays: 10,
      rotatesRefreshToken: true,
      ...script.profile,
    }),
    classifyGrant: ({ status }) =>
      status < 500
        ? new SyncError("grant_revoked", "The scripted provider refuses the grant.")
        : new SyncError("unavailable", "The scripted provider does not answer."),
    startListing(context) {
      const { config } = context;
      script.onStart?.(context);
      const parts = script.drives.get(config.source);
      if (parts === undefined) {
        return Promise.reject(new SyncError("scope_not_found", "There is no such drive."));
      }
      return Promise.resolve({
        roots: [],
        walk: [],
        feeds: [...logsOf(config.source)].map(([key, log]) => ({
          key,
          cursor: { at: log.length },
        })),
        is_tree: false,
        sweep: context.mode === "full" ? "everything" : "walked_folders",
        confirms_absence: script.onAbsent !== undefined,
        memory: { listed: context.mode },
        seeds: [...parts.keys()].map((key) => ({
          kind: "part",
          key,
          cursor: { part: key, offset: 0 },
        })),
      });
    },
    async readPage(task, context) {
      const { part, offset } = task.kind === "walk"
        ? { part: task.folder_ids.join(), offset: 0 }
        : readCursor(task.cursor);
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
      return script.onPage?.(page, task, context) ?? page;
    },
    async readChanges(feed, context) {
      await script.onChanges?.(feed, context);
      const log = logsOf(context.config.source).get(feed.key) ?? [];
      return changePage(log, feed, context.pageSize);
    },
    ...(script.onAbsent === undefined ? {} : { confirmGone: confirmGone(script.onAbsent) }),
    quotaOf: () => ({ bucket: "scripted", units: 1, unitsPerMinute: 6_000 }),
    classify: () => null,
  };
}

function confirmGone(
  onAbsent: NonNullable<Script["onAbsent"]>,
): NonNullable<Provider<ScriptedConfig>["confirmGone"]> {
  const none = { gone: [], present_files: [], present_folders: [], unknown: [] };
  return async (items, context) => ({ ...none, ...await onAbsent(items, context) });
}

function changePage(log: readonly ScriptedChange[], feed: Feed, pageSize: number): ChangePage {
  const { cursor } = feed;
  if (typeof cursor !== "object" || cursor === null || !("at" in cursor)) {
    throw new SyncError("cursor_expired", "The cursor is not one of this provider's.");
  }
  const at = Number(cursor.at);
  const end = Math.min(at + pageSize, log.length);
  const entries = log.slice(at, end);
  return {
    files: entries.flatMap((entry) => "file" in entry ? [entry.file] : []),
    folders: entries.flatMap((entry) => "folder" in entry ? [entry.folder] : []),
    removed: entries.flatMap((entry) =>
      "removed" in entry ? [{ external_id: entry.removed, reason: entry.reason }] : []
    ),
    skipped: [],
    receipt: {},
    next: { type: end < log.length ? "more" : "drained", cursor: { at: end } },
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
