/** Everything the chaos happens to: the whole stack, two emulated providers, and doors between them. */
import postgres from "postgres";
import { ApsModel } from "../autodesk/aps_model.ts";
import { startApsEmulator } from "../autodesk/server.ts";
import { DriveModel } from "../google/drive_model.ts";
import { startDriveEmulator } from "../google/server.ts";
import { createServiceAccount } from "../google/service_account.ts";
import { DEMO_USERS, type Stack, type StackOptions, startStack } from "../stack.ts";
import { createAutodeskPlace } from "./autodesk_places.ts";
import type { Chance } from "./chance.ts";
import { type Door, openDoor } from "./door.ts";
import { createGooglePlace } from "./google_places.ts";
import type { Place } from "./place.ts";
import { type OwnedEndpoint, removeEndpoint } from "./owners.ts";
import { addRuns, NO_RUNS, type RunCounts } from "./runs.ts";
import { steadily } from "./steadily.ts";

/** How much there is to sync. */
export interface StageOptions {
  readonly server: StackOptions["server"];
  readonly chance: Chance;
  /** Numbers of files are multiplied by this. */
  readonly scale: number;
  readonly say: (line: string) => void;
}

/** An endpoint and what it reads. */
export interface WatchedEndpoint extends OwnedEndpoint {
  readonly place: Place;
}

/** The doors, by what lies behind them. */
export type Doors = Readonly<Record<"database" | "google" | "autodesk", Door>>;

/** The stack and all around it. */
export interface Stage extends AsyncDisposable {
  readonly stack: Stack;
  readonly stateDir: string;
  readonly sql: postgres.Sql;
  readonly doors: Doors;
  readonly places: readonly Place[];
  /** Those that are there: see {@linkcode Stage.addEndpoint} and {@linkcode Stage.removeOldest}. */
  readonly endpoints: readonly WatchedEndpoint[];
  addEndpoint(place: Place): Promise<void>;
  /** Removes the oldest endpoint but for the first of each place: those live as long as the campaign. */
  removeOldest(): Promise<void>;
  /** Endpoints that were removed, and what became of their runs. */
  readonly removed: { readonly endpoints: number; readonly runs: RunCounts };
}

const CLIENT_ID = "ChaosClientId";
/** What a page of a provider takes: without it nothing would ever be under way when it is hit. */
const LATENCY = { pageMs: 120, callMs: 30 } as const;
/** A minute of production. */
const TICK = "2 seconds";

/** Boots everything in a folder of its own, with one endpoint for each place. */
export async function createStage(options: StageOptions): Promise<Stage> {
  await using parts = new AsyncDisposableStack();
  const stateDir = await Deno.makeTempDir({ prefix: "file_connector_chaos_" });
  // The database's own account has to reach its data.
  await Deno.chmod(stateDir, 0o755);
  parts.defer(() => Deno.remove(stateDir, { recursive: true }));
  const { google, googlePlaces, credentials } = await startGoogle(options, parts);
  const { autodesk, autodeskPlaces, clientSecret } = await startAutodesk(options, parts);
  const opened: Door[] = [];
  const open = (url: string) => {
    const door = parts.use(openDoor(url));
    opened.push(door);
    return door;
  };
  const doors = { google: open(google), autodesk: open(autodesk) };
  const stack = await startStack({
    stateDir,
    apiPort: 0,
    dbPort: 0,
    server: options.server,
    functionsApiUrl: (url) => open(url).url,
    settings: {
      CONNECTOR_GOOGLE_API_URL: doors.google.url,
      CONNECTOR_GOOGLE_TOKEN_URL: `${doors.google.url}/token`,
      CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: credentials,
      CONNECTOR_AUTODESK_API_URL: doors.autodesk.url,
      CONNECTOR_AUTODESK_CLIENT_ID: CLIENT_ID,
      CONNECTOR_AUTODESK_CLIENT_SECRET: clientSecret,
    },
    log: options.say,
  });
  parts.defer(() => stack.database.remove());
  parts.defer(() => stack.stop());
  const database = opened.at(-1);
  if (database === undefined) throw new Error("Cannot cut what the functions never asked for");
  const sql = postgres(stack.info.db_url, { max: 4, onnotice: () => {} });
  parts.defer(() => sql.end({ timeout: 5 }));
  await prepareDatabase(sql, stack);
  const endpoints: WatchedEndpoint[] = [];
  let added = 0;
  let removed: Stage["removed"] = { endpoints: 0, runs: NO_RUNS };
  const places = [...googlePlaces, ...autodeskPlaces];
  const stage: Omit<Stage, keyof AsyncDisposable> = {
    stack,
    stateDir,
    sql,
    doors: { ...doors, database },
    places,
    endpoints,
    async addEndpoint(place) {
      endpoints.push(await addEndpoint(sql, place, added++));
    },
    async removeOldest() {
      const oldest = endpoints.find(({ place }, index) =>
        endpoints.slice(0, index).some((earlier) => earlier.place === place)
      );
      if (oldest === undefined) return;
      const runs = await removeEndpoint(sql, oldest);
      endpoints.splice(endpoints.indexOf(oldest), 1);
      removed = { endpoints: removed.endpoints + 1, runs: addRuns(removed.runs, runs) };
    },
    get removed() {
      return removed;
    },
  };
  for (const place of places) await stage.addEndpoint(place);
  const owned = parts.move();
  return Object.assign(stage, { [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

async function startGoogle({ chance, scale }: StageOptions, parts: AsyncDisposableStack) {
  const { json } = await createServiceAccount();
  const model = new DriveModel({ seed: 1 });
  const server = await startDriveEmulator({ model, serviceAccounts: [json] });
  parts.defer(() => server.stop());
  server.control.setLatency(LATENCY);
  const reader = json.client_email;
  const place = (
    name: string,
    files: number,
    layout: "shared_drive" | "shared_folder",
    filesPerFolder = 10,
  ) => {
    const scaled = Math.ceil(files * scale);
    return createGooglePlace(model, chance, {
      name,
      layout,
      reader,
      files: scaled,
      filesPerFolder,
    });
  };
  const googlePlaces = [
    // More folders than a page holds: files are read beside them.
    place("Large", 4_000, "shared_drive", 2),
    place("Medium", 400, "shared_folder"),
    place("Small", 40, "shared_folder"),
    place("Tiny", 4, "shared_drive"),
  ];
  const credentials = JSON.stringify(json);
  return { google: server.origin, googlePlaces, credentials };
}

async function startAutodesk({ chance, scale }: StageOptions, parts: AsyncDisposableStack) {
  const model = new ApsModel({ seed: 1 });
  const clientSecret = crypto.randomUUID();
  const apps = [{ clientId: CLIENT_ID, clientSecret }];
  const server = await startApsEmulator({ model, apps });
  parts.defer(() => server.stop());
  server.control.setLatency(LATENCY);
  const place = (name: string, files: number, folders: number) =>
    createAutodeskPlace(model, chance, {
      name,
      files: Math.ceil(files * scale),
      folders: Math.ceil(folders * scale),
      clientId: CLIENT_ID,
    });
  const autodeskPlaces = [place("Tower", 600, 40), place("Bridge", 60, 8), place("Shed", 6, 2)];
  return { autodesk: server.origin, autodeskPlaces, clientSecret };
}

/** Ticks come faster than each minute, and the fuse, which is not what is tried here, stays out. */
async function prepareDatabase(sql: postgres.Sql, stack: Stack): Promise<void> {
  await sql`update connector.settings set fuse_files = 1000000`;
  const owner = postgres(stack.database.postgresUrl, { max: 1, onnotice: () => {} });
  try {
    await owner`select cron.schedule('connector-tick', ${TICK}, 'select connector.tick()')`;
  } finally {
    await owner.end({ timeout: 5 });
  }
}

async function addEndpoint(
  sql: postgres.Sql,
  place: Place,
  index: number,
): Promise<WatchedEndpoint> {
  const id = crypto.randomUUID();
  const owner = DEMO_USERS[index % DEMO_USERS.length] ?? DEMO_USERS[0];
  await steadily(() =>
    sql`
      insert into public.endpoints (id, name, endpoint_type, project_id, user_id, endpoint_config,
        interval_minutes, max_files_per_sync)
      values (${id}, ${`${
      place.endpointType.split("_")[0]
    } ${index}`}, ${place.endpointType}, 'chaos', ${owner.id},
        ${sql.json(place.config)}, 1, null)
      on conflict (id) do nothing`
  );
  return { id, ownerId: owner.id, place };
}
