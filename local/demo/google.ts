import { basename } from "node:path";
import { oneLine, StackError } from "../failure.ts";
import type { Settings } from "../functions/environment.ts";
import { arrangeDrive } from "../google/arrangement.ts";
import { DriveModel } from "../google/drive_model.ts";
import { generateTree } from "../google/generated_tree.ts";
import { startDriveEmulator } from "../google/server.ts";
import { createServiceAccount } from "../google/service_account.ts";
import { watchFolder } from "../google/watched_folder.ts";
import type { DemoSource } from "../start_options.ts";

const OWNER = "owner@example.com";

/** An emulated Google Drive that serves something of this machine. */
export interface GoogleDemo {
  /** The folder that is shared with the service account. */
  readonly folderId: string;
  /** What it serves, in words. */
  readonly description: string;
  /** What makes the functions talk to it in place of Google. */
  readonly settings: Settings;
  stop(): Promise<void>;
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
  // The same source has the same ids at every start, another one has others.
  const seed = await seedOf(source);
  const model = new DriveModel({ seed });
  const server = await startDriveEmulator({
    model,
    serviceAccounts: [account],
    hostname: place.hostname,
  });
  const origin = `http://${place.publicHost}:${new URL(server.origin).port}`;
  const tokenUrl = `${origin}/token`;
  try {
    const { folderId } = arrangeDrive(model, {
      layout: "shared_folder",
      name: source.type === "folder" ? basename(source.path) : "Generated",
      owner: OWNER,
      reader: account.client_email,
    });
    const content = await fill(model, folderId, source, seed);
    return {
      folderId,
      description: content.description,
      settings: {
        CONNECTOR_GOOGLE_API_URL: origin,
        CONNECTOR_GOOGLE_TOKEN_URL: tokenUrl,
        CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify({
          ...account,
          token_uri: tokenUrl,
        }),
        CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH: "",
      },
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

interface Content {
  readonly description: string;
  stop(): Promise<void>;
}

async function fill(
  model: DriveModel,
  parent: string,
  source: DemoSource,
  seed: number,
): Promise<Content> {
  if (source.type === "generated") {
    generateTree(model, { parent, files: source.files, seed });
    return {
      description: `a generated tree of ${source.files.toLocaleString("en-US")} files`,
      stop: () => Promise.resolve(),
    };
  }
  try {
    const folder = await watchFolder(model, { directory: source.path, parent });
    return { description: `${source.path} (${folder.size} items)`, stop: () => folder.stop() };
  } catch (cause) {
    throw new StackError(`Cannot serve "${source.path}": ${oneLine(cause)}`, { cause });
  }
}

async function seedOf(source: DemoSource): Promise<number> {
  const text = new TextEncoder().encode(JSON.stringify(source));
  const digest = await crypto.subtle.digest("SHA-256", text);
  return new DataView(digest).getUint32(0);
}
