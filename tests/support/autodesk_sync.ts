/**
 * The engine as it runs in production, on the test run's database through REST, against emulated
 * Autodesk Platform Services in this process.
 */
import { ApsModel } from "../../local/autodesk/aps_model.ts";
import { type Arrangement, arrangeProject } from "../../local/autodesk/arrangement.ts";
import { type ApsEmulator, createApsEmulator } from "../../local/autodesk/emulator.ts";
import { autodesk } from "../../supabase/functions/_shared/providers/autodesk/index.ts";
import type { ProviderSettings } from "../../supabase/functions/_shared/providers/types.ts";
import { addEndpoint, type EndpointOverrides, type Sql, withDatabase } from "./database.ts";
import { createSynced, type Synced } from "./synced.ts";

export { filesOf, pathsOf, stateOf } from "./synced.ts";

const EMULATOR_URL = "http://aps.emulator";

/** The application that reads. */
export const CLIENT_ID = "AbCdEfGh";
/** Its secret. */
export const CLIENT_SECRET = "hush";

type Config = Parameters<typeof autodesk.readPage>[1]["config"];

/** One test's Autodesk account, database and engine. */
export interface AutodeskSync extends Synced<Config> {
  readonly sql: Sql;
  readonly aps: ApsEmulator;
  readonly model: ApsModel;
  /** A project with one top folder, into which the application is let. */
  readonly place: Arrangement;
  /** Lets a minute of Autodesk's clock pass; it is an hour behind to begin with. */
  wait(): void;
  /** Adds an endpoint, of the whole project unless told otherwise. */
  add(config?: Record<string, unknown>, overrides?: EndpointOverrides): Promise<string>;
  /** Syncs; answers what was called, token calls left out. */
  callsOfSync(): Promise<readonly string[]>;
}

/** The application as settings of the provider. */
export function autodeskSettings(overrides: Readonly<Record<string, string>> = {}) {
  const environment: Readonly<Record<string, string>> = {
    CONNECTOR_AUTODESK_API_URL: EMULATOR_URL,
    CONNECTOR_AUTODESK_CLIENT_ID: CLIENT_ID,
    CONNECTOR_AUTODESK_CLIENT_SECRET: CLIENT_SECRET,
    ...overrides,
  };
  const settings: ProviderSettings = autodesk.parseSettings((name) => environment[name]);
  return settings;
}

/** Runs a test with a clean database and a project that holds one empty folder. */
export async function withAutodeskSync(
  test: (world: AutodeskSync) => Promise<void>,
): Promise<void> {
  await withDatabase(async (sql) => {
    let nowMs = Date.now() - 3_600_000;
    const model = new ApsModel({ now: () => nowMs });
    const place = arrangeProject(model, { clientId: CLIENT_ID });
    const aps = createApsEmulator({
      model,
      apps: [{ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }],
    });
    const synced = createSynced(sql, {
      provider: autodesk,
      settings: autodeskSettings(),
      fetch: aps.fetch,
    });
    await test({
      sql,
      aps,
      model,
      place,
      ...synced,
      wait: () => {
        nowMs += 60_000;
      },
      add: (config = { project_id: place.projectId }, overrides = {}) =>
        addEndpoint(sql, {
          endpoint_type: "autodesk_construction_cloud",
          max_files_per_sync: null,
          endpoint_config: sql.json(JSON.parse(JSON.stringify(config))),
          ...overrides,
        }),
      async callsOfSync() {
        const before = aps.control.journal().length;
        await synced.sync();
        return aps.control.journal().slice(before).map(({ method }) => method)
          .filter((method) => method !== "token");
      },
    });
  });
}
