/**
 * The engine as it runs in production, on the test run's database through REST, against an emulated
 * Google Drive in this process.
 */
import { createDriveEmulator, type DriveEmulator } from "../../local/google/emulator.ts";
import {
  createServiceAccount,
  type ServiceAccountJson,
} from "../../local/google/service_account.ts";
import { googleDrive } from "../../supabase/functions/_shared/providers/google_drive/index.ts";
import type { ProviderSettings } from "../../supabase/functions/_shared/providers/types.ts";
import { addEndpoint, type EndpointOverrides, type Sql, withDatabase } from "./database.ts";
import { createSynced, type Synced } from "./synced.ts";

export { connectAsService, type FileRow, filesOf, pathsOf, stateOf } from "./synced.ts";

const EMULATOR_URL = "http://drive.emulator";

/** The owner of everything that is shared with the service account. */
export const OWNER = "owner@example.com";

type Config = Parameters<typeof googleDrive.readPage>[1]["config"];

/** One test's Drive, database and engine. */
export interface DriveSync extends Synced<Config> {
  readonly sql: Sql;
  readonly drive: DriveEmulator;
  /** E-mail address of the service account. */
  readonly account: string;
  /** Adds an endpoint with this `endpoint_config`. */
  add(config: Record<string, unknown>, overrides?: EndpointOverrides): Promise<string>;
}

/** Credentials of a service account as settings of the provider. */
export function settingsFor(json: ServiceAccountJson): ProviderSettings {
  const environment: Record<string, string> = {
    CONNECTOR_GOOGLE_API_URL: EMULATOR_URL,
    CONNECTOR_GOOGLE_TOKEN_URL: `${EMULATOR_URL}/token`,
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify(json),
  };
  return googleDrive.parseSettings((name) => environment[name]);
}

// Making a key takes a while, and every test may use the same one.
let serviceAccount: Promise<ServiceAccountJson> | undefined;

/** The service account of every test in this process. */
export async function loadServiceAccount(): Promise<ServiceAccountJson> {
  serviceAccount ??= createServiceAccount().then(({ json }) => json);
  return await serviceAccount;
}

/** Runs a test with a clean database and an empty Drive. */
export async function withDriveSync(test: (world: DriveSync) => Promise<void>): Promise<void> {
  const json = await loadServiceAccount();
  await withDatabase(async (sql) => {
    const drive = createDriveEmulator({ serviceAccounts: [json] });
    drive.model.addAccount({ email: OWNER });
    const synced = createSynced(sql, {
      provider: googleDrive,
      settings: settingsFor(json),
      fetch: drive.fetch,
    });
    await test({
      sql,
      drive,
      account: json.client_email,
      ...synced,
      add: (config, overrides = {}) =>
        addEndpoint(sql, {
          max_files_per_sync: null,
          endpoint_config: sql.json(JSON.parse(JSON.stringify(config))),
          ...overrides,
        }),
    });
  });
}
