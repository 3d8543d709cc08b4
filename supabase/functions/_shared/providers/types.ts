/**
 * The provider contract: everything the engine knows about a file provider. A provider is a folder
 * beside this file; it has no database, environment, clock or token of its own.
 *
 * Terms: a *listing* is one complete look at an endpoint's scope. It is cut into *tasks*, each with
 * its own cursor; a task is read *page* by page. Pages of different tasks may be read at the same
 * time and in any order.
 */
import type { FailureCode, SyncError } from "../errors.ts";
import type { Secret } from "../secret.ts";

/** A value that survives JSON unchanged. */
export type Json = string | number | boolean | null | readonly Json[] | {
  readonly [key: string]: Json;
};

/** An object that survives JSON unchanged. */
export type JsonObject = { readonly [key: string]: Json };

/** A file as the provider describes it now. Field names are the columns of `public.files`. */
export interface FileRecord {
  readonly external_file_id: string;
  /** `null`: the provider shows no parent, the file stands at the top of the scope. */
  readonly external_parent_id: string | null;
  /**
   * In the trash only because a folder above it is; that folder's own entry takes it along. In change
   * logs alone.
   */
  readonly is_buried?: true;
  /**
   * Where an item has several parents: all, in the provider's order; the first in scope counts. A
   * file's are also its `file_metadata.parents`, by which it outlives any one of them.
   */
  readonly candidate_parent_ids?: readonly string[];
  /** The name as the provider gives it, slashes and all. */
  readonly file_name: string;
  /** The provider's own web link. */
  readonly file_link: string;
  /** Bytes as decimal digits (a JSON number would lose the last digits above 2^53), or `null`. */
  readonly file_size: string | null;
  /** Lower-case extension without dot, or a provider's word for its own kinds (`document`), or `null`. */
  readonly file_type: string | null;
  readonly mime_type: string | null;
  /** RFC 3339, or `null`. */
  readonly external_created_at: string | null;
  readonly external_updated_at: string | null;
  readonly file_metadata: JsonObject;
}

/** A folder as the provider describes it now. */
export interface FolderRecord {
  readonly external_folder_id: string;
  readonly external_parent_id: string | null;
  /** As in {@linkcode FileRecord}. */
  readonly is_buried?: true;
  /** As in {@linkcode FileRecord}. */
  readonly candidate_parent_ids?: readonly string[];
  readonly folder_name: string;
  /** The top of a scope: its path is empty, whatever its name and parent. */
  readonly is_root: boolean;
  /**
   * What tells whether the folder's content changed since it was last read; see `walk_changed`. In a
   * change log, a folder whose state is not the one it had makes everything be listed again; but
   * where only the `place` that a state names is another, the folder is walked again.
   */
  readonly provider_state?: Json;
}

/** One unit of listing work, stored as a row of `connector.tasks`. */
export interface Task {
  readonly id: number;
  /** A word of the provider's own: which kind of reading this is. */
  readonly kind: string;
  /** The folders to read, for tasks made from {@linkcode Page.walk}; else empty. */
  readonly folder_ids: readonly string[];
  /** Where to go on; `null` means from the beginning. */
  readonly cursor: Json;
  /** Pages of this task committed so far; a commit names it, so that a repeat changes nothing. */
  readonly sequence: number;
}

/** A task to be created. A second seed of the same kind and key within one listing is ignored. */
export interface TaskSeed {
  readonly kind: string;
  readonly key: string;
  readonly cursor: Json;
}

/** What a listing begins with. */
export interface ListingStart {
  readonly roots: readonly FolderRecord[];
  /** Tops that cannot be read now: what is known of them stays as it is. */
  readonly unreadable_roots?: readonly string[];
  readonly seeds: readonly TaskSeed[];
  /** Folder ids to walk from the start, as in {@linkcode Page.walk}. */
  readonly walk: readonly string[];
  /** As in {@linkcode Page.walk_changed}. */
  readonly walk_changed?: readonly string[];
  /** Where each change log stood before the listing began; none for a provider without logs. */
  readonly feeds: readonly FeedStart[];
  /**
   * The scope is what hangs below its roots. Else everything the listing and the feeds show is in
   * scope, whatever its parent.
   */
  readonly is_tree: boolean;
  /** What is gone if the complete listing has not shown it: everything, or what was in folders it read. */
  readonly sweep: "everything" | "walked_folders";
  /** Whether {@linkcode Provider.confirmGone} is asked before an item not shown counts as gone. */
  readonly confirms_absence?: boolean;
  /** What to hand back as {@linkcode ProviderContext.memory} from now on; absent: nothing. */
  readonly memory?: Json;
}

/** An item that a complete listing has not shown. */
export interface AbsentItem {
  readonly external_id: string;
  readonly is_folder: boolean;
  /** The folder it was last seen in, where that is known. */
  readonly external_parent_id?: string | null;
}

/** What the provider says of absent items. An item in none of the lists is asked about again. */
export interface AbsenceVerdicts {
  /** Deleted, or no longer in the scope. */
  readonly gone: readonly string[];
  /** There after all, for example in another folder. */
  readonly present_files: readonly FileRecord[];
  readonly present_folders: readonly FolderRecord[];
  /** Cannot be told, for example because access was lost: the rows stay, the run is partial. */
  readonly unknown:
    readonly (AbsentItem & { readonly code: FailureCode; readonly message: string })[];
}

/** A position in one of the provider's change logs. */
export interface FeedStart {
  /** Which log, in the provider's own terms. */
  readonly key: string;
  readonly cursor: Json;
}

/** A change log that is followed, stored as a row of `connector.feeds`. */
export interface Feed extends FeedStart {
  /** Pages committed so far, as in {@linkcode Task}. */
  readonly sequence: number;
}

/** Why an item is gone, as `files.deletion_reason` says it. */
export type RemovalReason = "trashed" | "removed" | "out_of_scope";

/** An item, file or folder, that a change log says is gone. A folder takes its subtree with it. */
export interface Removal {
  readonly external_id: string;
  readonly reason: RemovalReason;
}

/** One page of a change log: current states, not deltas. Safe to apply twice. */
export interface ChangePage {
  readonly files: readonly FileRecord[];
  readonly folders: readonly FolderRecord[];
  readonly removed: readonly Removal[];
  /**
   * Tasks that become necessary where a removed item is a folder that was in the scope, because not
   * all below it need be gone.
   */
  readonly seeds_if_folders_go?: readonly TaskSeed[];
  /**
   * Items whose entries could not be read, or the log where an entry does not even name one. They
   * make the run `partial`, and a full listing follows.
   */
  readonly skipped: readonly SkippedSubtree[];
  readonly receipt: Readonly<Record<string, number>>;
  /** `drained`: nothing more for now; the cursor is where to go on next time. */
  readonly next: { readonly type: "more" | "drained"; readonly cursor: Json };
}

/** Which of the provider's limits a call counts against. */
export interface Quota {
  /** Names the bucket all workers share: provider, account or application, class of call. */
  readonly bucket: string;
  /** What this call costs, in the provider's units. */
  readonly units: number;
  readonly unitsPerMinute: number;
}

/** A part of the scope, or an item, that could not be read. Its presence makes the run `partial`. */
export interface SkippedSubtree {
  readonly external_folder_id: string;
  readonly code: FailureCode;
  readonly message: string;
}

/** One bounded page. Reading the same cursor twice gives pages that are safe to apply twice. */
export interface Page {
  readonly files: readonly FileRecord[];
  readonly folders: readonly FolderRecord[];
  /** Folders whose content this listing must read too; each is read once per listing. */
  readonly walk: readonly string[];
  /** Folders to be read only if they were not in the scope before. */
  readonly walk_new?: readonly string[];
  /**
   * Folders to be read only if their `provider_state` is not the one they had when they were last
   * read to the end. The database compares.
   */
  readonly walk_changed?: readonly string[];
  readonly seeds: readonly TaskSeed[];
  /**
   * Files that the page shows as deleted. That is proof, unlike the absence of a file: it counts
   * whatever becomes of the rest of the listing.
   */
  readonly removed?: readonly Removal[];
  readonly skipped: readonly SkippedSubtree[];
  /** Counts that are added to the listing's receipt, such as `incomplete_searches`. */
  readonly receipt: Readonly<Record<string, number>>;
  /** `done`: this task has been read to its end. */
  readonly next: { readonly type: "more"; readonly cursor: Json } | { readonly type: "done" };
}

/** A provider's answer that was not 2xx. */
export interface HttpFailure {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON body, or `null` where the body was not JSON. */
  readonly body: unknown;
  readonly url: URL;
}

/**
 * What a listing is for: `full` shows everything that is in scope, `incremental` only what may have
 * changed since the last one.
 */
export type ListingMode = "full" | "incremental";

/**
 * What the answer to a call is needed for, and so how long it is insisted on.
 *
 * - `run`: nothing goes on without it. It is asked for in later slices too.
 * - `folder`: other folders can be read without it. Where none comes for half a minute, however often
 *   it is asked for, that is said within the slice, so that the folder can be passed over.
 * - `probe`: all that is to be learned is whether there is one. It is waited for briefly.
 */
export type CallPurpose = "run" | "folder" | "probe";

/** Everything a provider may use while it reads. */
export interface ProviderContext<Config> {
  readonly config: Config;
  /** At most this many items a page. */
  readonly pageSize: number;
  /**
   * GETs one of the provider's own URLs: authorized, retried, time-limited and counted by the engine.
   * Throws a `SyncError` whose code comes from {@linkcode Provider.classify}. The purpose is `run`
   * unless it is given.
   */
  readonly getJson: (url: URL, purpose?: CallPurpose) => Promise<unknown>;
  /** Base of the provider's API, without a trailing slash; from the settings, never from a row. */
  readonly apiUrl: string;
  /** How many more tasks of this listing could be read at the same time: a reason to cut one up. */
  readonly idleLanes: number;
  /** What kind of listing is to be started, or is being read. */
  readonly mode: ListingMode;
  /**
   * What the endpoint's latest {@linkcode ListingStart.memory} held, in this listing and all later
   * ones; `null` before the first and after a change of `endpoint_config`. It may be forgotten at
   * any time, so it may spare calls but not be needed.
   */
  readonly memory: Json;
  /** What {@linkcode Provider.readerName} says. */
  readonly readerName?: string | null;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** A freshly issued access token. */
export interface AccessToken {
  readonly access_token: string;
  readonly token_type: string;
  readonly scope: string | null;
  readonly expires_at: Date;
}

/**
 * How people connect accounts of this provider, as data: the flow (consent, exchange, refresh,
 * revocation) is written once, in `_shared/oauth`.
 */
export interface OAuthProfile {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly revokeUrl: string;
  readonly clientId: string;
  /** Never printed: shown to the token and revocation addresses alone. */
  readonly clientSecret: Secret;
  /** Where the client shows who it is: in the header, or in the body; never in both. */
  readonly clientAuthentication: "basic" | "body";
  /** Asked for, and needed: a person who leaves one out has connected nothing. */
  readonly scopes: readonly string[];
  /** What the authorization address is given besides the parameters of RFC 6749 and RFC 7636. */
  readonly authorizeParameters: Readonly<Record<string, string>>;
  /** After how many days a refresh token that nobody uses lapses. */
  readonly refreshTokenDays: number;
  /** Each refresh token is good for one use, and brings the next one. */
  readonly rotatesRefreshToken: boolean;
}

/** A refusal of the token or revocation address. */
export interface GrantFailure {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body, or `null` where it was not JSON. */
  readonly body: unknown;
  /** What was asked: to exchange a code, to refresh, to revoke. */
  readonly request: "exchange" | "refresh" | "revoke";
  readonly now: Date;
}

/** What a provider needs in order to ask for an access token of the application's own. */
export interface TokenContext<Config> {
  readonly config: Config;
  /** The provider's settings, parsed by {@linkcode Provider.parseSettings}. */
  readonly settings: ProviderSettings;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Settings of one provider, read from the environment by `config.ts`. */
export interface ProviderSettings {
  readonly apiUrl: string;
  readonly tokenUrl: string;
  /** The application's credentials; opaque to the engine. */
  readonly credentials: unknown;
}

/** How much the provider may be asked. */
export interface ProviderLimits {
  /** Largest page the provider serves. */
  readonly maxPageSize: number;
  /** Most tasks of one endpoint to be read at the same time. */
  readonly maxParallelTasks: number;
  /** How many folders one walk task may hold. */
  readonly foldersPerTask: number;
}

/** One file provider. `Config` is its parsed `endpoint_config`. */
export interface Provider<Config> {
  /** Value of `endpoints.endpoint_type`; with hyphens and `sync-` before it, the function's slug. */
  readonly key: string;
  readonly displayName: string;
  readonly limits: ProviderLimits;
  /** What a token must allow; nothing more is asked for. */
  readonly scopes: readonly string[];
  /** How changes are found: in change logs, or by walking again the folders that changed. */
  readonly incremental: "feed" | "walk";
  /** The keys of `endpoint_config` that {@linkcode Provider.parseConfig} reads. */
  readonly configKeys: readonly string[];
  /** Says what is synced where a config names no part of what the account can see; else `null`. */
  describeWholeScope?(config: Config): string | null;
  /** Throws `config_invalid` with a sentence that names the field and what it allows. */
  parseConfig(stored: unknown): Config;
  /** Reads the provider's settings; throws `setting_invalid` naming the setting. */
  parseSettings(env: (name: string) => string | undefined): ProviderSettings;
  /** Obtains a token for the application itself (service account, client credentials). */
  issueToken(context: TokenContext<Config>): Promise<AccessToken>;
  /**
   * The application with which people connect accounts for an endpoint. Throws `setting_invalid`
   * naming the settings where none is configured.
   */
  oauthProfile(config: Config, settings: ProviderSettings): OAuthProfile;
  /**
   * Translates a refusal: `grant_revoked` where only the person can help, `credentials_invalid` where
   * only the operator can, else a code that passes by itself.
   */
  classifyGrant(failure: GrantFailure): SyncError;
  /**
   * The name under which the provider knows who reads, such as a client id: owners are told whom to
   * let in. `null`: there is none.
   */
  readerName?(config: Config, settings: ProviderSettings): string | null;
  /** Headers that every call of an endpoint carries beside the engine's own. */
  callHeaders?(config: Config): Readonly<Record<string, string>>;
  /** Kinds of task whose pages go before those of others, which need what they read. */
  readonly leadingTasks?: ReadonlySet<string>;
  /** Checks that the scope can be seen and says what reading it begins with. */
  startListing(context: ProviderContext<Config>): Promise<ListingStart>;
  /** One bounded page of one task; safe to repeat with the same cursor. */
  readPage(task: Task, context: ProviderContext<Config>): Promise<Page>;
  /** One bounded page of a change log; throws `cursor_expired` when its position is no longer known. */
  readChanges(feed: Feed, context: ProviderContext<Config>): Promise<ChangePage>;
  /** Asks about up to 50 absent items, where a listing `confirms_absence`. */
  confirmGone?(
    items: readonly AbsentItem[],
    context: ProviderContext<Config>,
  ): Promise<AbsenceVerdicts>;
  /** Which limit a call to `url` counts against. */
  quotaOf(url: URL, config: Config, settings: ProviderSettings): Quota;
  /** `null` lets the engine decide by status alone. */
  classify(failure: HttpFailure): { readonly code: FailureCode; readonly message: string } | null;
}
