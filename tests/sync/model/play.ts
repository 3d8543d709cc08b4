/** Plays one sequence: on the test run's database, an emulated Drive, and the engine of production. */
import { DriveModel } from "../../../local/google/drive_model.ts";
import { createDriveEmulator, type DriveEmulator } from "../../../local/google/emulator.ts";
import type { ServiceAccountJson } from "../../../local/google/service_account.ts";
import type { ConnectorDb } from "../../../supabase/functions/_shared/db/connector_db.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { settingsFor } from "../../support/drive_sync.ts";
import { createTestClock } from "../../support/test_clock.ts";
import { type CommonStage, LONG_WAIT_MS, playGame } from "./game.ts";
import { createHistory, type History } from "./history.ts";
import { createPlayground, type Playground } from "./playground.ts";
import type { Event, Sequence } from "./sequence.ts";
import { createWorker, silenceOn } from "./worker.ts";

/** What all sequences share. */
export interface Stage extends CommonStage {
  readonly db: ConnectorDb;
  readonly account: ServiceAccountJson;
}

/** Plays a sequence; throws when something is not as it must be. */
export async function play(sequence: Sequence, stage: Stage): Promise<void> {
  const clock = createTestClock(LONG_WAIT_MS);
  const pausesMs = sequence.before.map((_, n) => sequence.pausesMs?.[n] ?? 0);
  // What was there before is as old as the pauses between its making.
  let agoMs = pausesMs.reduce((total, ms) => total + ms, 0);
  const model = new DriveModel({ now: () => clock.now().getTime() - agoMs });
  const silence = silenceOn(clock);
  const drive = createDriveEmulator({ model, serviceAccounts: [stage.account], silence });
  const ground = createPlayground(model, sequence.scope, stage.account.client_email);
  for (const [n, action] of sequence.before.entries()) {
    ground.act(action);
    agoMs -= pausesMs[n] ?? 0;
  }
  const { pageSize: maxPageSize, lanes: maxParallelTasks, foldersPerTask } = sequence;
  const limits = { ...googleDrive.limits, maxPageSize, maxParallelTasks, foldersPerTask };
  const worker = createWorker({
    db: stage.db,
    provider: { ...googleDrive, limits },
    settings: settingsFor(stage.account),
    fetch: drive.fetch,
    clock,
  });
  const history = createHistory(ground);
  await playGame(sequence, {
    stage,
    clock,
    control: drive.control,
    worker,
    history,
    endpoint: { endpoint_type: googleDrive.key, endpoint_config: ground.config },
    happen: (event) => happen(event, drive, { ground, history }),
    mend: ground.mend,
    lastSyncs: "incremental",
    isExactAfter: () => true,
    hearsOfChanges: true,
    isUncertain: () => false,
  });
}

function happen(
  event: Event,
  { control }: DriveEmulator,
  { ground, history }: { readonly ground: Playground; readonly history: History },
): void {
  switch (event.do) {
    case "expire_page_tokens":
      return control.expirePageTokens();
    case "expire_change_tokens":
      return control.expireChangeTokens();
    case "revoke_access_tokens":
      return control.revokeAccessTokens();
    default:
      ground.act(event);
      history.note();
  }
}
