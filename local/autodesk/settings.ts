import type { Region } from "./aps_types.ts";
import { type AnswerStyle, DEFAULT_ANSWER_STYLE } from "./rendering.ts";

/** What can be chosen of the service's behaviour where the documents leave it open. */
export interface Settings {
  readonly style: AnswerStyle;
  /**
   * Whether `excludeDeleted` and `projectFilesOnly` of `topFolders` have an effect without a user:
   * the documents promise it only "when user context is provided".
   */
  readonly topFolderFilters: "with_user" | "always";
  /** Regions that do not answer at the moment, with the status they fail with. */
  readonly outages: ReadonlyMap<Region, number>;
}

/** The strict reading of the documents. */
export const DEFAULT_SETTINGS: Settings = {
  style: DEFAULT_ANSWER_STYLE,
  topFolderFilters: "with_user",
  outages: new Map(),
};
