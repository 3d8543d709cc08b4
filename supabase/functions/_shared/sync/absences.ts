import type { AbsentItems } from "../db/connector_db.ts";
import type { AbsenceVerdicts, AbsentItem } from "../providers/types.ts";
import { retryUnavailable } from "./db_retry.ts";
import type { WorkEnd } from "./outcome.ts";
import { type EndpointRun, providerContext, reporting } from "./run_state.ts";
import { splitFiles } from "./split_files.ts";

/** Most items asked about at once. */
const BATCH = 50;

/** An item that is absent still after being asked about this often in one slice is left alone. */
const MOST_QUESTIONS = 2;

const NO_VERDICTS: AbsenceVerdicts = {
  gone: [],
  present_files: [],
  present_folders: [],
  unknown: [],
};

/**
 * Asks the provider about each item that the complete listing has not shown, where its listings
 * confirm absence: what moved is written, what is gone is deleted, and what cannot be told stays.
 */
export async function confirmAbsences<Config>(run: EndpointRun<Config>): Promise<WorkEnd> {
  if (run.deps.provider.confirmGone === undefined) return "done";
  const questions = new Map<string, number>();
  while (!run.budget.isSpent()) {
    const { held, items } = await readAbsentItems(run);
    if (held !== null) run.log.warn("deletions_held", { held });
    if (held !== null || items.length === 0) return "done";
    const times = ({ external_id }: AbsentItem) => questions.get(external_id) ?? 0;
    const asked = items.filter((item) => times(item) < MOST_QUESTIONS);
    const verdicts = await ask(run, asked);
    for (const item of asked) questions.set(item.external_id, times(item) + 1);
    const isTold = toldOf(verdicts);
    // Those asked about often enough before, and those about which nothing was said again.
    const stubborn = items.filter((item) =>
      times(item) >= MOST_QUESTIONS && !isTold.has(item.external_id)
    );
    await note(run, verdicts, stubborn);
  }
  return "continue";
}

async function readAbsentItems<Config>(run: EndpointRun<Config>): Promise<AbsentItems> {
  const { deps, context, budget } = run;
  run.lost.throwIfAborted();
  const absent = await retryUnavailable(deps, budget.unloading, () => {
    budget.spend({ calls: 1 });
    return deps.db.absentItems(context, BATCH);
  });
  run.heartbeat.beat();
  return absent;
}

async function ask<Config>(
  run: EndpointRun<Config>,
  items: readonly AbsentItem[],
): Promise<AbsenceVerdicts> {
  const { provider } = run.deps;
  if (items.length === 0 || provider.confirmGone === undefined) return NO_VERDICTS;
  const terms = { pageSize: provider.limits.maxPageSize, idleLanes: 0, signal: run.lost };
  return await provider.confirmGone(items, providerContext(run, terms));
}

/** The items of which something is said. */
function toldOf(verdicts: AbsenceVerdicts): ReadonlySet<string> {
  return new Set([
    ...verdicts.gone,
    ...verdicts.unknown.map(({ external_id }) => external_id),
    ...verdicts.present_files.map(({ external_file_id }) => external_file_id),
    ...verdicts.present_folders.map(({ external_folder_id }) => external_folder_id),
  ]);
}

/** Commits the verdicts; of the stubborn items nothing can be told. */
async function note<Config>(
  run: EndpointRun<Config>,
  verdicts: AbsenceVerdicts,
  stubborn: readonly AbsentItem[],
): Promise<void> {
  const { deps, context, progress, log } = run;
  const { files, filtered } = splitFiles(verdicts.present_files, run.isWanted);
  const untold = stubborn.map((item) => ({
    ...item,
    code: "response_invalid" as const,
    message: `${deps.provider.displayName} does not tell what became of an item; it is kept`,
  }));
  const unknown = [...verdicts.unknown, ...untold];
  const { deleted } = await reporting(run, (provider_calls) =>
    deps.db.noteAbsences(context, {
      ...verdicts,
      present_files: files,
      filtered,
      unknown,
      provider_calls,
    }));
  progress.deleted += deleted;
  log.info("absences_noted", {
    gone: verdicts.gone.length,
    present_files: files.length,
    present_folders: verdicts.present_folders.length,
    filtered: filtered.length,
    unknown: unknown.length,
    deleted,
  });
}
