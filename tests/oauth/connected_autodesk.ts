/** Accounts of the emulated Autodesk, connected to endpoints as the oauth function connects them. */
import type { Sql } from "../support/database.ts";
import { type AutodeskSync, CLIENT_ID } from "../support/autodesk_sync.ts";
import { connectAccount, type Connected } from "./granted.ts";

/** Adds a person who sees the whole project; answers a refresh token that they gave. */
export function consent({ aps, model, place }: AutodeskSync, name = "Ada"): string {
  const user = model.addUser({ email: `${name}@example.com`, name });
  model.setMember(place.projectId, user.id, "admin");
  return aps.issueRefreshToken(CLIENT_ID, ["data:read"], user.id);
}

/** Adds an endpoint of the project that is read as a person. */
export function addConnected(
  world: AutodeskSync,
  sql: Sql,
  connected: Connected = {},
): Promise<string> {
  return connectAccount(sql, {
    refreshToken: consent(world),
    ...connected,
    endpoint: {
      endpoint_type: "autodesk_construction_cloud",
      max_files_per_sync: null,
      endpoint_config: sql.json({ project_id: world.place.projectId }),
      ...connected.endpoint,
    },
  });
}

/** How often the token address was called so far. */
export function tokenCalls({ aps }: AutodeskSync): number {
  return aps.control.journal().filter(({ method }) => method === "token").length;
}
