import type { Grants } from "../../supabase/functions/_shared/oauth/grants.ts";

/** For tests in which nobody connects an account. */
export const NO_GRANTS: Grants = {
  accessToken: () => Promise.reject(new Error("Nobody has connected an account in this test")),
};
