import { liveSyncDeps } from "../_shared/handlers/live_sync_deps.ts";
import { createSyncHandler } from "../_shared/handlers/sync.ts";
import { autodesk } from "../_shared/providers/autodesk/index.ts";

export default {
  fetch: createSyncHandler(autodesk, liveSyncDeps("sync-autodesk-construction-cloud")),
};
