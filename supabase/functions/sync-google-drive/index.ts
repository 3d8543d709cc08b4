import { liveSyncDeps } from "../_shared/handlers/live_sync_deps.ts";
import { createSyncHandler } from "../_shared/handlers/sync.ts";
import { googleDrive } from "../_shared/providers/google_drive/index.ts";

export default { fetch: createSyncHandler(googleDrive, liveSyncDeps("sync-google-drive")) };
