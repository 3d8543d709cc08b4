import { basename } from "node:path";
import { arrangeDrive } from "../google/arrangement.ts";
import { DriveModel } from "../google/drive_model.ts";
import { generateTree } from "../google/generated_tree.ts";
import { CONSENT_PATH } from "../google/oauth_service.ts";
import { startDriveEmulator } from "../google/server.ts";
import { createServiceAccount } from "../google/service_account.ts";
import { watchFolder } from "../google/watched_folder.ts";
import type { DemoSource } from "../start_options.ts";
import { type Demo, fillDemo, seedOf } from "./content.ts";

const OWNER = "owner@example.com";
const CLIENT_ID = "demo-client.apps.googleusercontent.com";

/** An emulated Google Drive that serves something of this machine. */
export interface GoogleDemo extends Demo {
  /** The folder that is shared with the service account. */
  readonly folderId: string;
}

/** Where an emulated Google Drive listens, and under which name its callers know it. */
export interface GoogleDemoPlace {
  readonly hostname: string;
  readonly publicHost: string;
}

const THIS_MACHINE_ALONE: GoogleDemoPlace = { hostname: "127.0.0.1", publicHost: "127.0.0.1" };

/** Starts an emulated Google Drive over `source`. */
export async function startGoogleDemo(
  source: DemoSource,
  place: GoogleDemoPlace = THIS_MACHINE_ALONE,
): Promise<GoogleDemo> {
  const { json: account } = await createServiceAccount();
  const seed = await seedOf(source);
  const model = new DriveModel({ seed });
  const server = await startDriveEmulator({
    model,
    serviceAccounts: [account],
    hostname: place.hostname,
  });
  const { port } = new URL(server.origin);
  const origin = `http://${place.publicHost}:${port}`;
  const tokenUrl = `${origin}/token`;
  const clientSecret = `GOCSPX-${crypto.randomUUID()}`;
  try {
    const { folderId } = arrangeDrive(model, {
      layout: "shared_folder",
      name: source.type === "folder" ? basename(source.path) : "Generated",
      owner: OWNER,
      reader: account.client_email,
    });
    const content = await fillDemo(source, {
      generate: (files) => generateTree(model, { parent: folderId, files, seed }),
      watch: (directory) => watchFolder(model, { directory, parent: folderId }),
    });
    return {
      folderId,
      endpoint: {
        name: "Demo: Google Drive",
        endpoint_type: "google_drive",
        endpoint_config: { folder_id: folderId },
        description: "A folder of this machine, served by an emulated Google Drive",
      },
      description: `the emulated Google Drive serves ${content.description}`,
      settings: {
        CONNECTOR_GOOGLE_API_URL: origin,
        CONNECTOR_GOOGLE_TOKEN_URL: tokenUrl,
        // People's browsers are on this machine, wherever the functions are.
        CONNECTOR_GOOGLE_AUTH_URL: `http://127.0.0.1:${port}${CONSENT_PATH}`,
        CONNECTOR_GOOGLE_CLIENT_ID: CLIENT_ID,
        CONNECTOR_GOOGLE_CLIENT_SECRET: clientSecret,
        CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify({ ...account, token_uri: tokenUrl }),
        CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH: "",
        CONNECTOR_GOOGLE_DRIVE_SERVICE_ACCOUNTS: "",
        CONNECTOR_GOOGLE_IMPERSONATE: "",
      },
      allowCallback: (url) =>
        server.registerOAuthClient({
          clientId: CLIENT_ID,
          clientSecret,
          redirectUris: [url],
          name: "File Connector",
        }),
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
