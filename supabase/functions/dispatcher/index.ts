import { createDispatcherHandler } from "../_shared/handlers/dispatcher.ts";
import { liveDeps } from "../_shared/handlers/live_deps.ts";

export default { fetch: createDispatcherHandler(liveDeps("dispatcher")) };
