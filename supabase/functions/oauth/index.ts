import { liveOAuthDeps } from "../_shared/handlers/live_oauth_deps.ts";
import { createOAuthHandler } from "../_shared/handlers/oauth.ts";
import { getProvider } from "../_shared/providers/registry.ts";

export default { fetch: createOAuthHandler(getProvider, liveOAuthDeps("oauth")) };
