/** The right to read one page of at most `pageSize` items. */
export interface PageGrant {
  readonly pageSize: number;
  /** Ends the grant: how many files the page brought, and whether more of its task is left. */
  settle(files: number, hasMore: boolean): void;
}

/**
 * Hands out pages so that a run never sees more files than `max_files_per_sync`. Files that
 * `file_types` excludes count too: the bound is on a run's work. Folders do not count.
 */
export interface FileLimit {
  /**
   * Grants a page, waiting while pages under way may leave something over; `null` when the run has
   * all the files it may have.
   */
  grant(): Promise<PageGrant | null>;
  /** Whether {@linkcode grant} has answered `null`. */
  isReached(): boolean;
  /** How many pages of the largest size may still be granted. */
  fullPagesLeft(): number;
}

/** What {@linkcode createFileLimit} needs. */
export interface FileLimitOptions {
  /** `max_files_per_sync`; `null` means no bound. */
  readonly maxFiles: number | null;
  /** Files this run has seen in earlier slices. */
  readonly filesSeen: number;
  readonly maxPageSize: number;
  /** How many pages can be read at the same time right now. */
  readonly parallelPages: () => number;
}

/** Cut pages at the end of a run: each costs a call and brings little. */
const MOST_CUT_PAGES = 4;

/** Creates the limit of one run, for one slice of it. */
export function createFileLimit(options: FileLimitOptions): FileLimit {
  const { maxFiles, maxPageSize } = options;
  if (maxFiles === null) return unlimited(maxPageSize);
  let free = Math.max(0, maxFiles - options.filesSeen);
  let granted = 0;
  let cutPages = 0;
  let isReached = false;
  let settled = Promise.withResolvers<void>();

  function issue(pageSize: number, isCut: boolean): PageGrant {
    free -= pageSize;
    granted += 1;
    return {
      pageSize,
      settle(files, hasMore) {
        free += pageSize - files;
        granted -= 1;
        if (isCut && hasMore) cutPages += 1;
        settled.resolve();
        settled = Promise.withResolvers<void>();
      },
    };
  }

  return {
    async grant() {
      while (true) {
        const wanted = wantedPageSize(maxFiles, maxPageSize, options.parallelPages());
        if (free >= wanted / 4) return issue(Math.min(free, wanted), false);
        if (granted === 0) break;
        // Most pages bring fewer files than they may; what they leave makes a better page.
        await settled.promise;
      }
      if (free > 0 && cutPages < MOST_CUT_PAGES) return issue(free, true);
      isReached = true;
      return null;
    },
    isReached: () => isReached,
    fullPagesLeft: () => Math.floor(Math.max(0, free) / maxPageSize),
  };
}

function unlimited(pageSize: number): FileLimit {
  const grant: PageGrant = { pageSize, settle: () => {} };
  return {
    grant: () => Promise.resolve(grant),
    isReached: () => false,
    fullPagesLeft: () => Infinity,
  };
}

/** Pages of equal size that fill the bound, and as many of them as can be read together. */
function wantedPageSize(maxFiles: number, maxPageSize: number, parallelPages: number): number {
  const pages = Math.max(Math.ceil(maxFiles / maxPageSize), parallelPages, 1);
  return Math.max(1, Math.floor(maxFiles / pages));
}
