/**
 * What happens in one sequence, as plain data: it prints as it is, shrinks piece by piece, and means
 * the same whenever it is played again. Items are named by numbers that are taken modulo what there is.
 */
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
