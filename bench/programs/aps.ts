/**
 * Emulated Autodesk Platform Services in a process of their own: a project with a tree of folders
 * and items below its one top folder, all of them years old. Prints one line of JSON when it is ready.
 *
 * Arguments: port, number of items, number of folders, client id, client secret.
 */
import { ApsModel } from "../../local/autodesk/aps_model.ts";
import { arrangeProject } from "../../local/autodesk/arrangement.ts";
import { generateTree } from "../../local/autodesk/generated_tree.ts";
import { startApsEmulator } from "../../local/autodesk/server.ts";
import { printJson } from "./output.ts";

const [port = "0", items = "0", folders = "1", clientId = "", clientSecret = ""] = Deno.args;
const model = new ApsModel({ seed: 1 });
const place = arrangeProject(model, { clientId, createdTime: "2016-01-01T00:00:00Z" });
const folderIds = generateTree(model, {
  parent: place.folderId,
  items: Number(items),
  folders: Number(folders),
});
const deepest = folderIds.at(-1) ?? place.folderId;
let depth = 1;
for (let at = model.folder(deepest); at.id !== place.folderId && at.parent !== null; depth++) {
  at = at.parent;
}
const server = await startApsEmulator({
  model,
  apps: [{ clientId, clientSecret }],
  port: Number(port),
  hasControlRoute: true,
});
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
await printJson({
  hub_id: place.hubId,
  project_id: place.projectId,
  deepest_folder_id: deepest,
  depth,
  access_token: server.issueAccessToken(clientId, ["data:read"]),
});
