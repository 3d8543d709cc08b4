/**
 * How much one invocation may do. The platform gives a worker 150 s of wall clock (400 s on paid
 * plans), 2 s of CPU over its whole life and 256 MB; an invocation stops well before each of them
 * and lets the next one go on. See https://supabase.com/docs/guides/functions/limits
 */

/**
 * Time in which new pages may be begun, from the arrival of the request. What is under way then may
 * still take one provider call (30 s), for a folder that stays silent the question whether others
 * answer (10 s), and one commit, so that an invocation ends within about 110 s.
 */
export const SLICE_MS = 60_000;

/**
 * Estimated CPU an invocation may use. CPU time cannot be read inside an Edge Function, so it is
 * estimated from what was done; the rest of the two seconds is for booting, for token signing, and
 * for an earlier invocation of the same worker.
 */
export const CPU_BUDGET_MS = 1_200;

/**
 * Estimated CPU of one HTTP exchange, whoever answers it. About 0.5 ms were measured (100 small
 * endpoints); doubled, since the platform's processors are slower and shared.
 */
export const CPU_PER_CALL_MS = 1;

/**
 * Estimated CPU of one listed item: parsing, checking, and encoding it again. Of the thread that runs
 * the function 0.013 ms were measured on a busy machine (first syncs of 40,000 files), and 0.021 ms
 * with a heap bounded as a whole to 256 MB, whose young generation is small. What the budget leaves of
 * the two seconds is the margin for slower processors.
 */
export const CPU_PER_ITEM_MS = 0.02;

/**
 * Endpoints worked at the same time by one invocation. Most of a small sync is waiting, for a provider
 * and for commits; what it holds in memory is bounded by the places below, whatever this is.
 */
export const LANES = 10;

/** The wait before what could not be begun is asked for once more: the length of an owner's edit. */
export const BEGIN_AGAIN_AFTER_MS = 500;

/** Tasks of one endpoint held in memory; the others wait in the database. */
export const HELD_TASKS = 100;

/** Pages under way at the same time in one invocation, from the request for them to their commit. */
export const HELD_PAGES = 20;

/**
 * Of them, most held by one endpoint: one that must wait for its provider leaves room for others. Pages
 * that the others wait for do not count.
 */
export const HELD_PAGES_PER_ENDPOINT = 12;

/**
 * Pages of which the answer is in memory, from its first byte to the end of their commit. The others
 * are still the provider's, or the network's: so this is what bounds the memory of an invocation,
 * however many endpoints and lanes there are.
 */
export const OPEN_PAGES = 6;

/** Of them, most of one endpoint: what is being committed, and the next one. */
export const OPEN_PAGES_PER_ENDPOINT = 3;

/** Commits of one endpoint under way at the same time; more would wait for each other's locks. */
export const PARALLEL_COMMITS = 2;

/** A lease not extended by a commit for this long is renewed by a call of its own (it lasts 120 s). */
export const RENEW_LEASE_AFTER_MS = 40_000;

/** The wait after a renewal that failed; three of them fit into what is left of the lease. */
export const RENEW_AGAIN_AFTER_MS = 20_000;

/** Longest wait for one answer of a provider, body included. */
export const CALL_TIMEOUT_MS = 30_000;

/** Sendings of one provider call, the first included. */
export const CALL_ATTEMPTS = 5;

/** Sendings of a call whose answer can't be read. What a proxy broke once comes whole the next time. */
export const UNREADABLE_ATTEMPTS = 2;

/**
 * After this long, and two sendings at least, a folder that does not answer is passed over if others
 * do. Two silences of the longest kind fill a slice; there is no room for a third.
 */
export const FOLDER_PATIENCE_MS = SLICE_MS / 2;

/** Longest wait for an answer by which only is to be learned whether the provider answers. */
export const PROBE_TIMEOUT_MS = 10_000;

/** Longest wait before the first repetition; doubled for each one after it. */
export const FIRST_BACKOFF_MS = 500;

/** Longest wait before any repetition, unless the provider asks for more. */
export const LONGEST_BACKOFF_MS = 16_000;

/** Largest answer of a provider that is read. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
