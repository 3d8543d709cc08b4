import { DENO_TASK } from "../local/deno_task.ts";
import type { ProjectClient } from "./project_client.ts";
import { Refusal } from "./project_command.ts";

/** Auth's code for it: https://supabase.com/docs/guides/auth/debugging/error-codes */
const UNKNOWN_USER = "user_not_found";

/**
 * Refuses an owner of whom the project's Auth says that there is no such user. The database takes any
 * UUID, so a mistyped one would make an endpoint that nobody sees. Where Auth does not answer, it has
 * not said no: what else is wrong with the project shows at the next request.
 */
export async function refuseUnknownUser(
  userId: string,
  { db, access }: ProjectClient,
): Promise<void> {
  const { error } = await db.auth.admin.getUserById(userId);
  if (error?.code !== UNKNOWN_USER) return;
  throw new Refusal(
    `There is no user ${userId} in ${access.url}: let the person sign up, or give --user the id of ` +
      "one of its users (auth.users; those of a local stack are in .local/stack.json, which " +
      `\`${DENO_TASK} start\` writes)`,
  );
}
