/**
 * What happens in one sequence on an Autodesk project, as plain data; see the sequences of the model
 * of Google Drive, with which it shares all that is not Autodesk's own.
 */
import fc from "fast-check";
import type { FaultPlan } from "../../../local/autodesk/faults.ts";
import { edit, interruption, NAMES, size } from "../model/random_sequence.ts";
import type {
  AnySequence,
  AnySyncStep,
  EndpointStep,
  Meanwhile,
  Size,
  Trouble,
} from "../model/sequence.ts";

/** What the endpoint reads. */
export const SCOPES = ["project", "folder", "two_folders", "nested_folders"] as const;

/** What the endpoint reads. */
export type Scope = typeof SCOPES[number];

/** Something that somebody does in the emulated project. */
export type Action =
  | { readonly do: "create_item"; readonly in: number; readonly name: string; readonly size: Size }
  | { readonly do: "create_folder"; readonly in: number; readonly name: string }
  /** An upload that was not finished. */
  | { readonly do: "create_placeholder"; readonly in: number; readonly name: string }
  | { readonly do: "rename"; readonly entry: number; readonly name: string }
  | { readonly do: "add_version"; readonly entry: number; readonly size: Size }
  | { readonly do: "move"; readonly entry: number; readonly in: number }
  | { readonly do: "delete" | "restore" | "hide" | "purge"; readonly entry: number }
  | { readonly do: "finish_processing"; readonly entry: number }
  /** A folder can be read no longer, by nobody's change of the folder; and back. */
  | { readonly do: "deny"; readonly entry: number; readonly status: 403 | 404 }
  | { readonly do: "allow"; readonly entry: number }
  /** The same for a top of the scope, or it is deleted. */
  | { readonly do: "lose_scope"; readonly top: number; readonly how: 403 | 404 | "deleted" }
  | { readonly do: "regain_scope"; readonly top: number };

/** What may happen to the emulated project at any time. */
export type Event = Action | { readonly do: "revoke_access_tokens" };

/** One sync of a project. */
export type SyncStep = AnySyncStep<FaultPlan, Event>;

/** One step of a sequence. */
export type Step = Event | SyncStep | EndpointStep;

/** One sequence. */
export interface Sequence extends AnySequence<Action, Step> {
  readonly scope: Scope;
  /**
   * Whether more than the documents promise moves the rollups. If not, a full walk alone finds what was
   * deleted, moved away, renamed, or given or denied to the application.
   */
  readonly rollups: "all" | "documented";
  readonly links: "absolute" | "relative";
}

const entry = fc.nat(99);
const name = fc.constantFrom(...NAMES);
const own = <Do extends Action["do"]>(...names: readonly [Do, ...Do[]]) =>
  fc.constantFrom(...names);

const create = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: own("create_item"), in: entry, name, size }) },
  { weight: 4, arbitrary: fc.record({ do: own("create_folder"), in: entry, name }) },
  { weight: 1, arbitrary: fc.record({ do: own("create_placeholder"), in: entry, name }) },
);

const refusal = fc.constantFrom(403 as const, 404 as const);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: create },
  { weight: 3, arbitrary: fc.record({ do: own("rename"), entry, name }) },
  { weight: 2, arbitrary: fc.record({ do: own("add_version"), entry, size }) },
  { weight: 6, arbitrary: fc.record({ do: own("move"), entry, in: entry }) },
  { weight: 6, arbitrary: fc.record({ do: own("delete", "delete", "restore", "restore"), entry }) },
  { weight: 1, arbitrary: fc.record({ do: own("hide", "purge", "finish_processing"), entry }) },
  { weight: 1, arbitrary: fc.record({ do: own("deny"), entry, status: refusal }) },
  { weight: 1, arbitrary: fc.record({ do: own("allow"), entry }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({
        do: own("lose_scope"),
        top: fc.nat(1),
        how: fc.constantFrom(403 as const, 404 as const, "deleted" as const),
      }),
      fc.record({ do: own("regain_scope"), top: fc.nat(1) }),
    ),
  },
);

const beginning = fc.oneof({ weight: 4, arbitrary: create }, { weight: 1, arbitrary: action });

const fault: fc.Arbitrary<FaultPlan["fault"]> = fc.oneof(
  fc.record({
    type: fc.constant("status" as const),
    status: fc.constantFrom(401, 408, 429, 500, 502, 503, 504),
    shape: fc.constantFrom("service" as const, "gateway" as const),
  }),
  fc.record({
    type: fc.constant("status" as const),
    status: fc.constant(429),
    retryAfterSeconds: fc.constantFrom(0, 1, 20),
  }),
  fc.record({ type: fc.constant("status" as const), status: fc.constantFrom(400, 403, 404) }),
  fc.record({
    type: fc.constantFrom("timeout" as const, "reset", "truncated", "garbage", "html"),
  }),
  fc.record({ type: fc.constant("empty_page" as const) }),
  fc.record({ type: fc.constant("duplicates" as const), count: fc.integer({ min: 1, max: 3 }) }),
);

/** What can be hit alone: that a rare call is hit by chance takes many sequences. */
const METHODS = ["folders.contents", "folders.get", "items.get", "projects.topFolders", "token"];

const trouble: fc.Arbitrary<Trouble<FaultPlan>> = fc.record({
  plan: fc.record({
    fault,
    times: fc.constantFrom(1, 1, 2, 3, 6, 30),
    skip: fc.nat(8),
    method: fc.constantFrom(undefined, undefined, undefined, ...METHODS),
  }),
});

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 12, arbitrary: action },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("revoke_access_tokens" as const) }) },
);

const meanwhile: fc.Arbitrary<Meanwhile<Event>> = fc.record({
  at: fc.oneof(fc.nat(6), fc.nat(20)),
  event: fc.oneof(
    { weight: 16, arbitrary: event },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("lose_lease" as const) }) },
    { weight: 1, arbitrary: edit },
  ),
});

const sync: fc.Arbitrary<SyncStep> = fc.record({
  do: fc.constant("sync" as const),
  mode: fc.constantFrom("incremental" as const, "incremental", "incremental", "full"),
  troubles: fc.oneof(fc.constant([]), fc.array(trouble, { minLength: 1, maxLength: 3 })),
  interruption: fc.option(interruption, { freq: 2 }),
  meanwhile: fc.oneof(fc.constant([]), fc.array(meanwhile, { minLength: 1, maxLength: 3 })),
  cpuBudgetMs: fc.constantFrom(1_200, 1_200, 12),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: event },
  { weight: 10, arbitrary: sync },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "audit_falls_due" as const,
        "time_passes",
        "time_passes",
        "tombstones_lapse",
      ),
    }),
  },
  { weight: 2, arbitrary: edit },
);

/** Any sequence. */
export const sequence: fc.Arbitrary<Sequence> = fc.record({
  scope: fc.constantFrom(...SCOPES),
  rollups: fc.constantFrom("all" as const, "all", "documented"),
  links: fc.constantFrom("absolute" as const, "relative"),
  pageSize: fc.constantFrom(2, 3, 5, 8),
  lanes: fc.integer({ min: 1, max: 4 }),
  foldersPerTask: fc.constant(1),
  fuseFiles: fc.constantFrom(50, 50, 1),
  // Without the bias towards few of them: an empty project has nothing to go wrong.
  before: fc.noBias(fc.array(beginning, { maxLength: 24, size: "max" })),
  steps: fc.noBias(fc.array(step, { maxLength: 20, size: "max" })),
});
