import type { Grant } from "./access_tokens.ts";
import type { DriveState } from "./drive_state.ts";
import type { Fault } from "./faults.ts";
import type { FileSearch } from "./file_search.ts";
import type { Viewer } from "./file_resource.ts";
import type { PageTokens } from "./page_tokens.ts";
import type { ResourceTexts } from "./resource_texts.ts";

/** What the methods of the API work with. */
export interface ApiContext {
  readonly model: DriveState;
  readonly search: FileSearch;
  readonly texts: ResourceTexts;
  readonly pageTokens: PageTokens;
  readonly changeTokens: PageTokens;
}

/** One authorized call of a method. */
export interface ApiCall {
  readonly context: ApiContext;
  readonly viewer: Viewer;
  readonly grant: Grant;
  readonly query: URLSearchParams;
  /** The id in the path, where the method has one. */
  readonly pathId: string;
  /** A fault that changes the answer's content, or `null`. */
  readonly fault: Fault | null;
}

/** A method of the API: the answer's body, or an `ApiError`. */
export type ApiMethod = (call: ApiCall) => unknown;
