/** Random sequences, and what they are made of. */
import fc from "fast-check";
import type { FaultPlan } from "../../../local/google/faults.ts";
import {
  type Action,
  type Edit,
  type Event,
  type Interruption,
  type Meanwhile,
  SCOPES,
  type Sequence,
  type Size,
  type Step,
  type SyncStep,
  type Trouble,
} from "./sequence.ts";

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

const createFolder = fc.record({
  do: fc.constant("create_folder" as const),
  in: item,
  name,
});

const create = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("create_file" as const), in: item, name, size }),
  },
  {
    weight: 2,
    arbitrary: createFolder,
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

const steps: fc.Arbitrary<readonly Step[]> = fc.noBias(
  fc.array(
    fc.oneof(
      { weight: 15, arbitrary: step.map((each) => [each]) },
      { weight: 1, arbitrary: walk },
    ),
    { maxLength: 20, size: "max" },
  ).map((parts) => parts.flat()),
);

const common = {
  foldersPerTask: fc.integer({ min: 1, max: 3 }),
  fuseFiles: fc.constantFrom(50, 50, 1),
  pausesMs: pauses,
  steps,
};

const anywhere: fc.Arbitrary<Sequence> = fc.record({
  scope: fc.constantFrom(...SCOPES),
  pageSize: fc.constantFrom(2, 3, 5, 8),
  lanes: fc.integer({ min: 1, max: 4 }),
  // Without the bias towards few of them: an empty Drive has nothing to go wrong.
  before: fc.noBias(fc.array(beginning, { maxLength: 24, size: "max" })),
  ...common,
});

/** Folders of several pages, with lanes that wait for work: what is listed in windows of time. */
const inWindows: fc.Arbitrary<Sequence> = fc.record({
  scope: fc.constantFrom("drive" as const, "account"),
  pageSize: fc.constantFrom(2, 3),
  lanes: fc.integer({ min: 3, max: 6 }),
  before: fc.noBias(
    fc.array(
      fc.oneof({ weight: 1, arbitrary: createFolder }, { weight: 2, arbitrary: beginning }),
      {
        minLength: 12,
        maxLength: 24,
        size: "max",
      },
    ),
  ),
  ...common,
});

/** Any sequence. */
export const sequence: fc.Arbitrary<Sequence> = fc.oneof(
  { weight: 5, arbitrary: anywhere },
  { weight: 1, arbitrary: inWindows },
);
