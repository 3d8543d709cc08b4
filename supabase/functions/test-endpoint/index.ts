import { liveSyncDeps } from "../_shared/handlers/live_sync_deps.ts";
import { createTestEndpointHandler } from "../_shared/handlers/test_endpoint.ts";
import { getProvider } from "../_shared/providers/registry.ts";

export default { fetch: createTestEndpointHandler(getProvider, liveSyncDeps("test-endpoint")) };
