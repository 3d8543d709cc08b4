import { basename } from "node:path";
import { ApsModel } from "../autodesk/aps_model.ts";
import { arrangeProject } from "../autodesk/arrangement.ts";
import { generateTree } from "../autodesk/generated_tree.ts";
import { startApsEmulator } from "../autodesk/server.ts";
import { watchFolder } from "../autodesk/watched_folder.ts";
import type { DemoSource } from "../start_options.ts";
import { type Demo, fillDemo, seedOf } from "./content.ts";

const CLIENT_ID = "DemoClientId";
const OWNER = { email: "owner@example.com", name: "Olive Owner" };

/** Autodesk allows five folders a second: more would make a demonstration of patience. */
const MOST_FOLDERS = 50;

/** Starts an emulated Autodesk Construction Cloud with one project over `source`. */
export async function startAutodeskDemo(source: DemoSource): Promise<Demo> {
  const seed = await seedOf(source);
  const model = new ApsModel({ seed });
  const clientSecret = crypto.randomUUID();
  const app = { clientId: CLIENT_ID, clientSecret, name: "File Connector" };
  const server = await startApsEmulator({ model, apps: [app] });
  try {
    const owner = model.addUser(OWNER);
    const { projectId, folderId: parent } = arrangeProject(model, {
      clientId: CLIENT_ID,
      adminId: owner.id,
      projectName: source.type === "folder" ? basename(source.path) : "Generated",
    });
    const content = await fillDemo(source, {
      generate: (items) => {
        const folders = Math.min(MOST_FOLDERS, Math.ceil(items / 10));
        generateTree(model, { parent, items, folders, seed });
      },
      watch: (directory) => watchFolder(model, { directory, parent }),
    });
    return {
      endpoint: {
        name: "Demo: Autodesk",
        endpoint_type: "autodesk_construction_cloud",
        endpoint_config: { client_id: CLIENT_ID, project_id: projectId },
        description: "A folder of this machine, served by an emulated Autodesk Construction Cloud",
      },
      description: `the emulated Autodesk Construction Cloud serves ${content.description}`,
      settings: {
        CONNECTOR_AUTODESK_API_URL: server.origin,
        CONNECTOR_AUTODESK_CLIENT_ID: CLIENT_ID,
        CONNECTOR_AUTODESK_CLIENT_SECRET: clientSecret,
        CONNECTOR_AUTODESK_CLIENTS: "",
        CONNECTOR_AUTODESK_SERVICE_ACCOUNTS: "",
      },
      allowCallback: (url) => server.registerApp({ ...app, redirectUris: [url] }),
      async stop() {
        await content.stop();
        await server.stop();
      },
    };
  } catch (cause) {
    await server.stop();
    throw cause;
  }
}
