/** Plays one sequence on an emulated project, with the engine of production. */
import { ApsModel } from "../../../local/autodesk/aps_model.ts";
import { createApsEmulator } from "../../../local/autodesk/emulator.ts";
import type { ConnectorDb } from "../../../supabase/functions/_shared/db/connector_db.ts";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";
import { autodeskSettings, CLIENT_ID, CLIENT_SECRET } from "../../support/autodesk_sync.ts";
import { createTestClock } from "../../support/test_clock.ts";
import { type CommonStage, LONG_WAIT_MS, playGame } from "../model/game.ts";
import { createWorker, silenceOn } from "../model/worker.ts";
import { createHistory } from "./history.ts";
import { createPlayground } from "./playground.ts";
import type { Sequence } from "./sequence.ts";

/** What all sequences share. */
export interface Stage extends CommonStage {
  readonly db: ConnectorDb;
}

/** What moves the rollups beside new content, of which alone the documents speak. */
const ROLLUPS = {
  all: { delete: true, moveOut: true, folderHide: true, folderRename: true, permission: true },
  documented: {
    delete: false,
    moveOut: false,
    folderHide: false,
    folderRename: false,
    permission: false,
  },
} as const;

/** Plays a sequence; throws when something is not as it must be. */
export async function play(sequence: Sequence, stage: Stage): Promise<void> {
  const clock = createTestClock(LONG_WAIT_MS);
  const rollupRules = ROLLUPS[sequence.rollups];
  const model = new ApsModel({ now: () => clock.now().getTime(), rollupRules });
  const apps = [{ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }];
  const aps = createApsEmulator({ model, apps, silence: silenceOn(clock) });
  aps.control.setStyle({ links: sequence.links, times: "mixed" });
  const ground = createPlayground(model, sequence.scope);
  for (const action of sequence.before) ground.act(action);
  const { pageSize: maxPageSize, lanes: maxParallelTasks, foldersPerTask } = sequence;
  const limits = { ...autodesk.limits, maxPageSize, maxParallelTasks, foldersPerTask };
  const worker = createWorker({
    db: stage.db,
    provider: { ...autodesk, limits },
    settings: autodeskSettings(),
    fetch: aps.fetch,
    clock,
  });
  const history = createHistory(ground);
  await playGame(sequence, {
    stage,
    clock,
    control: aps.control,
    worker,
    history,
    endpoint: { endpoint_type: autodesk.key, endpoint_config: ground.config },
    happen(event) {
      if (event.do === "revoke_access_tokens") return aps.control.revokeAccessTokens();
      ground.act(event);
      history.note();
    },
    mend: ground.mend,
    lastSyncs: "full",
    isExactAfter: (mode) => mode === "full" || sequence.rollups === "all",
    hearsOfChanges: false,
    isUncertain: history.isOutOfSight,
  });
}
