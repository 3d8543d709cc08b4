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

/** Starts an emulated Google Drive over `source`. */
export async function startGoogleDemo(source: DemoSource): Promise<GoogleDemo> {
  const { json: account } = await createServiceAccount();
  // The same source has the same ids at every start, another one has others.
  const seed = await seedOf(source);
  const model = new DriveModel({ seed });
  const server = await startDriveEmulator({ model, serviceAccounts: [account] });
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
        CONNECTOR_GOOGLE_API_URL: server.origin,
        CONNECTOR_GOOGLE_TOKEN_URL: server.tokenUrl,
        CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify({
          ...account,
          token_uri: server.tokenUrl,
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
