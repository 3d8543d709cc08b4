import { DriveModel } from "../../../local/google/drive_model.ts";
import { createDriveEmulator, type DriveEmulator } from "../../../local/google/emulator.ts";
import {
  createServiceAccount,
  type ServiceAccountJson,
} from "../../../local/google/service_account.ts";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import {
  type GoogleDriveConfig,
  parseConfig,
} from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import type { ProviderContext } from "../../../supabase/functions/_shared/providers/types.ts";

const ORIGIN = "http://drive.test";
/** The owner of a My Drive that the service account may be shown parts of. */
export const OWNER = "ann@company.example";

let madeKey: Promise<ServiceAccountJson> | undefined;

/** One key for all tests: making one takes long. */
function serviceAccountKey(): Promise<ServiceAccountJson> {
  return madeKey ??= createServiceAccount({ tokenUri: `${ORIGIN}/token` }).then(({ json }) => json);
}

/** An emulated Drive, and a service account that reads it. */
export interface Setup {
  readonly key: ServiceAccountJson;
  readonly emulator: DriveEmulator;
  /** Asks for a token as the engine does. */
  token(config?: unknown, key?: ServiceAccountJson): Promise<string>;
  context(
    config: unknown,
    pageSize?: number,
    idleLanes?: number,
  ): Promise<ProviderContext<GoogleDriveConfig>>;
}

/** Makes them; on a model of the test's own where one is given. */
export async function setUp(model = new DriveModel()): Promise<Setup> {
  const key = await serviceAccountKey();
  const emulator = createDriveEmulator({ model, serviceAccounts: [key] });
  emulator.model.addAccount({ email: OWNER });
  const signal = new AbortController().signal;

  async function token(config: unknown = {}, signer = key): Promise<string> {
    const values: Record<string, string> = {
      CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify(signer),
      CONNECTOR_GOOGLE_API_URL: ORIGIN,
      CONNECTOR_GOOGLE_TOKEN_URL: `${ORIGIN}/token`,
    };
    const issued = await googleDrive.issueToken({
      config: parseConfig(config),
      settings: googleDrive.parseSettings((name) => values[name]),
      fetch: emulator.fetch,
      now: () => new Date(),
      signal,
    });
    return issued.access_token;
  }

  async function context(config: unknown, pageSize = 1000, idleLanes = 0) {
    const authorization = `Bearer ${await token(config)}`;
    const getJson = async (url: URL): Promise<unknown> => {
      const response = await emulator.fetch(url, { headers: { authorization } });
      if (response.ok) return await response.json();
      const { status, headers } = response;
      const body: unknown = await response.json().catch(() => null);
      const verdict = googleDrive.classify({ status, headers, body, url });
      throw new SyncError(verdict?.code ?? "internal", verdict?.message ?? `status ${status}`);
    };
    return {
      config: parseConfig(config),
      pageSize,
      idleLanes,
      apiUrl: ORIGIN,
      mode: "full" as const,
      memory: null,
      now: () => new Date(),
      signal,
      getJson,
    };
  }

  return { key, emulator, token, context };
}

/** A tree of `width` folders with `width` files each, two levels deep, below `parent`. */
export function plant({ model }: DriveEmulator, parent: string, width: number): number {
  let files = 0;
  for (let outer = 0; outer < width; outer++) {
    const folder = model.createFolder({ name: `folder ${outer}`, parent });
    for (let inner = 0; inner < width; inner++) {
      model.createFile({ name: `file ${inner}.pdf`, parent: folder.id });
      const deep = model.createFolder({ name: "deep", parent: folder.id });
      if (inner === 0) continue;
      model.createFile({ name: "deep file.rvt", parent: deep.id });
      files++;
    }
    files += width;
  }
  return files;
}
