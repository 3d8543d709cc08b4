import { createStatusHandler } from "../_shared/handlers/status.ts";
import { liveDeps } from "../_shared/handlers/live_deps.ts";

export default { fetch: createStatusHandler(liveDeps("status")) };
