import { createHealthHandler } from "../_shared/handlers/health.ts";
import { liveDeps } from "../_shared/handlers/live_deps.ts";

export default { fetch: createHealthHandler(liveDeps("health")) };
