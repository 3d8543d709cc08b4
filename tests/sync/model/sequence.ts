/**
 * What happens in one sequence, as plain data: it prints as it is, shrinks piece by piece, and means
 * the same whenever it is played again. Items are named by numbers that are taken modulo what there is.
 */
import fc from "fast-check";
import type { FaultPlan } from "../../../local/google/faults.ts";

/** What the endpoint reads. */
export const SCOPES = ["my_folder", "drive_folder", "two_folders", "drive", "account"] as const;

/** What the endpoint reads. */
export type Scope = typeof SCOPES[number];

/** Something that somebody does on the emulated Drive. */
export type Action =
  | { readonly do: "create_file"; readonly in: number; readonly name: string; readonly size: Size }
  | { readonly do: "create_folder"; readonly in: number; readonly name: string }
  | {
    readonly do: "create_shortcut";
    readonly in: number;
    readonly name: string;
    readonly to: number;
  }
  | { readonly do: "rename"; readonly item: number; readonly name: string }
  | { readonly do: "edit"; readonly item: number; readonly size: Size }
  | { readonly do: "move"; readonly item: number; readonly in: number }
  | { readonly do: "trash" | "untrash" | "delete" | "view"; readonly item: number }
  | { readonly do: "share" | "unshare"; readonly item: number }
  | { readonly do: "add_parent"; readonly item: number; readonly in: number }
  | { readonly do: "remove_parent"; readonly item: number }
  /** A folder goes out of sight, the one touched last first; and what went last comes back. */
  | { readonly do: "hide"; readonly folder: number; readonly by: Hiding }
  | { readonly do: "show" }
  /** The scope itself is trashed, unshared, or its drive left; and back. */
  | { readonly do: "lose_scope" | "regain_scope"; readonly top: number };

/** How a folder goes out of sight. */
export type Hiding = "trash" | "move" | "unshare";

/** Bytes as digits. */
export type Size = string | null;

/** Something that goes wrong on the way to the provider. */
export interface Trouble<Plan> {
  readonly plan: Plan;
}

/** A worker that dies, or an answer of the database that is lost. */
export interface Interruption {
  /** `die`: nothing of this worker is carried out any more. `stumble`: one answer is lost. */
  readonly type: "die" | "stumble";
  /** At which call, of the database and of the provider together. */
  readonly at: number;
  /** Whether that call is still carried out. */
  readonly isCarriedOut: boolean;
}

/** Something that the owner of the endpoint or an operator does. */
export type Edit =
  | { readonly do: "limit_files"; readonly files: number | null }
  | { readonly do: "choose_types"; readonly types: readonly string[] | null }
  | { readonly do: "switch_off_and_on" | "approve_deletions" | "request_full" };

/** Something that happens while a sync runs, at a call to the provider. */
export interface Meanwhile<Event> {
  readonly at: number;
  readonly event: Event | Edit | { readonly do: "lose_lease" };
}

/** What may happen to the emulated Drive at any time. */
export type Event =
  | Action
  | {
    readonly do: "expire_page_tokens" | "expire_change_tokens" | "revoke_access_tokens";
  };

/** One sync and what befalls it. */
export interface AnySyncStep<Plan, Event> {
  readonly do: "sync";
  readonly mode: "incremental" | "full";
  readonly troubles: readonly Trouble<Plan>[];
  readonly interruption: Interruption | null;
  readonly meanwhile: readonly Meanwhile<Event>[];
  /** Less makes several slices of a run. */
  readonly cpuBudgetMs: number;
}

/** One sync of a Drive. */
export type SyncStep = AnySyncStep<FaultPlan, Event>;

/** What happens to an endpoint between its syncs, whichever the provider. */
export type EndpointStep =
  | Edit
  | { readonly do: "audit_falls_due" }
  /** What could not be read is due for another attempt; tombstones are past their time. */
  | { readonly do: "time_passes" | "tombstones_lapse" };

/** One step of a sequence. */
export type Step = Event | SyncStep | EndpointStep;

/** One sequence, whichever the provider. */
export interface AnySequence<Action, Step> {
  readonly pageSize: number;
  readonly lanes: number;
  readonly foldersPerTask: number;
  /** Deletions above so many are withheld until they are approved. */
  readonly fuseFiles: number;
  readonly before: readonly Action[];
  readonly steps: readonly Step[];
}

/** One sequence. */
export interface Sequence extends AnySequence<Action, Step> {
  readonly scope: Scope;
  /** The time, in milliseconds, that passes after each action of `before`; none after the others. */
  readonly pausesMs?: readonly number[];
}

/** Names that a path, a query or a table might stumble over. */
export const NAMES = [
  "a.pdf",
  "a.pdf",
  "b.txt",
  "B.PDF",
  "no extension",
  "x/y.pdf",
  "/",
  "back\\slash\\",
  "new\nline.txt",
  "😀 ünï.pdf",
  ".hidden",
  "100%_'quoted'\".txt",
  `${"long ".repeat(50)}.pdf`,
] as const;

const item = fc.nat(99);
const name = fc.constantFrom(...NAMES);
/** Any size. */
export const size: fc.Arbitrary<Size> = fc.constantFrom("0", "1", "1024", "9007199254740993", null);

const create = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("create_file" as const), in: item, name, size }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("create_folder" as const), in: item, name }),
  },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: create },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("create_shortcut" as const), in: item, name, to: item }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("rename" as const), item, name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("edit" as const), item, size }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("move" as const), item, in: item }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("trash" as const, "untrash", "delete", "view"),
      item,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("share" as const, "unshare"), item }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("add_parent" as const), item, in: item }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove_parent" as const), item }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("lose_scope" as const, "regain_scope"),
      top: fc.nat(1),
    }),
  },
);

const beginning = fc.oneof({ weight: 4, arbitrary: create }, { weight: 1, arbitrary: action });

const fault: fc.Arbitrary<FaultPlan["fault"]> = fc.oneof(
  fc.record({
    type: fc.constant("status" as const),
    status: fc.constantFrom(401, 429, 500, 502, 503, 504),
  }),
  fc.record({
    type: fc.constant("status" as const),
    status: fc.constant(429),
    retryAfterSeconds: fc.constantFrom(0, 1, 20),
  }),
  fc.record({
    type: fc.constant("status" as const),
    status: fc.constant(403),
    reason: fc.constantFrom(
      "userRateLimitExceeded",
      "rateLimitExceeded",
      "dailyLimitExceeded",
      "insufficientFilePermissions",
    ),
  }),
  fc.record({ type: fc.constant("status" as const), status: fc.constantFrom(400, 404, 410) }),
  fc.record({
    type: fc.constantFrom("timeout" as const, "reset", "truncated", "garbage", "html"),
  }),
  fc.record({ type: fc.constant("incomplete_search" as const) }),
  fc.record({ type: fc.constant("empty_page" as const) }),
  fc.record({ type: fc.constant("duplicates" as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    type: fc.constant("grouped_parents" as const),
    mode: fc.constantFrom("empty" as const, "partial"),
  }),
);

/** What can be hit alone: that a rare call is hit by chance takes many sequences. */
const METHODS = ["changes.list", "files.list", "files.get", "changes.getStartPageToken", "token"];

const trouble: fc.Arbitrary<Trouble<FaultPlan>> = fc.record({
  plan: fc.record({
    fault,
    times: fc.constantFrom(1, 1, 2, 3, 6, 30),
    skip: fc.oneof(fc.nat(3), fc.nat(12)),
    method: fc.constantFrom(undefined, undefined, undefined, ...METHODS),
  }),
});

/** Any interruption. */
export const interruption: fc.Arbitrary<Interruption> = fc.record({
  type: fc.constantFrom("die" as const, "die", "stumble"),
  at: fc.oneof(fc.nat(12), fc.nat(40)),
  isCarriedOut: fc.boolean(),
});

/** Any edit. */
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    do: fc.constant("limit_files" as const),
    files: fc.constantFrom(null, 2, 4, 10),
  }),
  fc.record({
    do: fc.constant("choose_types" as const),
    types: fc.constantFrom(null, ["*"], ["pdf"], ["application/pdf"]),
  }),
  fc.record({
    do: fc.constantFrom("switch_off_and_on" as const, "approve_deletions", "request_full"),
  }),
);

const meanwhile: fc.Arbitrary<Meanwhile<Event>> = fc.record({
  at: fc.oneof(fc.nat(6), fc.nat(20)),
  event: fc.oneof(
    { weight: 16, arbitrary: action },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom("expire_page_tokens" as const, "expire_change_tokens", "lose_lease"),
      }),
    },
    { weight: 1, arbitrary: edit },
  ),
});

const hide = fc.record({
  do: fc.constant("hide" as const),
  folder: fc.nat(2),
  by: fc.constantFrom("trash" as const, "trash", "move", "unshare"),
});

/** A folder is out of sight for some calls only: what was read then was read in vain. */
const flicker: fc.Arbitrary<readonly Meanwhile<Event>[]> = fc.record({
  at: fc.nat(4),
  calls: fc.integer({ min: 1, max: 3 }),
  hide,
}).map(({ at, calls, hide }) => [
  { at, event: hide },
  { at: at + calls, event: { do: "show" } },
]);

const sync: fc.Arbitrary<SyncStep> = fc.record({
  do: fc.constant("sync" as const),
  mode: fc.constantFrom("incremental" as const, "incremental", "incremental", "full"),
  troubles: fc.oneof(fc.constant([]), fc.array(trouble, { minLength: 1, maxLength: 3 })),
  interruption: fc.option(interruption, { freq: 2 }),
  meanwhile: fc.oneof(
    fc.constant([]),
    fc.array(meanwhile, { minLength: 1, maxLength: 3 }),
    flicker,
  ),
  cpuBudgetMs: fc.constantFrom(1_200, 1_200, 12),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: action },
  { weight: 5, arbitrary: sync },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "expire_change_tokens" as const,
        "revoke_access_tokens",
        "audit_falls_due",
        "time_passes",
        "tombstones_lapse",
      ),
    }),
  },
  { weight: 1, arbitrary: edit },
);

/** What a sync has lost comes back, and something happens while it is walked. */
const walk: fc.Arbitrary<readonly Step[]> = fc.record({
  hide,
  first: fc.constantFrom(1_200, 12),
  second: fc.record({
    meanwhile: fc.oneof(flicker, fc.array(meanwhile, { minLength: 1, maxLength: 3 })),
    cpuBudgetMs: fc.constantFrom(1_200, 1_200, 12),
  }),
}).map(({ hide, first, second }) => [
  hide,
  { ...QUIET, meanwhile: [], cpuBudgetMs: first },
  { do: "show" },
  { ...QUIET, ...second },
]);

const QUIET = {
  do: "sync",
  mode: "incremental",
  troubles: [],
  interruption: null,
} as const;

const A_DAY_MS = 86_400_000;

/** From things made at one instant to a Drive that grew over ten years. */
const pauses: fc.Arbitrary<readonly number[]> = fc.noBias(
  fc.array(fc.constantFrom(0, 1, 999, 60_000, A_DAY_MS, 150 * A_DAY_MS), {
    minLength: 24,
    maxLength: 24,
  }),
);

/** Any sequence. */
export const sequence: fc.Arbitrary<Sequence> = fc.record({
  scope: fc.constantFrom(...SCOPES),
  pageSize: fc.constantFrom(2, 3, 5, 8),
  lanes: fc.integer({ min: 1, max: 4 }),
  foldersPerTask: fc.integer({ min: 1, max: 3 }),
  fuseFiles: fc.constantFrom(50, 50, 1),
  // Without the bias towards few of them: an empty Drive has nothing to go wrong.
  before: fc.noBias(fc.array(beginning, { maxLength: 24, size: "max" })),
  pausesMs: pauses,
  steps: fc.noBias(
    fc.array(
      fc.oneof(
        { weight: 15, arbitrary: step.map((each) => [each]) },
        { weight: 1, arbitrary: walk },
      ),
      { maxLength: 20, size: "max" },
    ).map((parts) => parts.flat()),
  ),
});
