/** The function that tests endpoints, and an emulated Drive for it to test. */
import assert from "node:assert/strict";
import { createDriveEmulator } from "../../local/google/emulator.ts";
import { createServiceAccount } from "../../local/google/service_account.ts";
import { registerAnswer } from "../../local/leaks/register.ts";
import type {
  ConnectorDb,
  OwnedEndpoint,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { createTestEndpointHandler } from "../../supabase/functions/_shared/handlers/test_endpoint.ts";
import { getProvider } from "../../supabase/functions/_shared/providers/registry.ts";
import type { Check } from "../../supabase/functions/_shared/sync/endpoint_check/checks.ts";
import {
  createTokenIssuer,
  environment,
  FakeConnectorDb,
  fakeDeps,
  SECRET_KEY,
} from "./function_fakes.ts";

export const DRIVE = "http://drive.test";
export const APS = "http://aps.emulator";
export const OWNER = "ann@company.example";
export const ENDPOINT_ID = "11111111-1111-4111-8111-111111111111";

export const { json: ACCOUNT } = await createServiceAccount({ tokenUri: `${DRIVE}/token` });
export const issuer = await createTokenIssuer();

export type Environment = Readonly<Record<string, string | undefined>>;

export const ENVIRONMENT: Environment = {
  SUPABASE_JWKS: issuer.jwks,
  CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify(ACCOUNT),
  CONNECTOR_GOOGLE_API_URL: DRIVE,
  CONNECTOR_GOOGLE_TOKEN_URL: `${DRIVE}/token`,
  CONNECTOR_AUTODESK_CLIENT_ID: "AbCdEfGh",
  CONNECTOR_AUTODESK_CLIENT_SECRET: "hush",
  CONNECTOR_AUTODESK_API_URL: APS,
};

export const ENDPOINT: OwnedEndpoint = {
  endpoint_id: ENDPOINT_ID,
  user_id: "user-1",
  name: "Plans",
  endpoint_type: "google_drive",
  project_id: "p",
  endpoint_config: {},
  file_types: null,
  needs_grant: false,
  token: null,
};

/** A database of one endpoint, which belongs to `user-1`; every other call fails. */
export function oneEndpoint(endpoint: Partial<OwnedEndpoint> = {}): ConnectorDb {
  return Object.assign(new FakeConnectorDb(), {
    ownedEndpoint: (endpointId: string, userId: string | null) => {
      const isFound = endpointId === ENDPOINT_ID && (userId === null || userId === "user-1");
      return Promise.resolve(isFound ? { ...ENDPOINT, ...endpoint } : null);
    },
  });
}

export interface World {
  readonly fetch: typeof fetch;
  readonly tokenFetch?: typeof fetch;
  readonly now?: () => Date;
  readonly env?: Environment;
  readonly db?: ConnectorDb;
}

/** The function; waiting passes its time at once. */
export function createFunction(world: World) {
  const { fetch, tokenFetch = fetch, now = () => new Date(), env = {}, db = oneEndpoint() } = world;
  let waitedMs = 0;
  const fake = fakeDeps({ env: environment({ ...ENVIRONMENT, ...env }), db });
  const handler = createTestEndpointHandler(getProvider, {
    ...fake,
    fetch,
    tokenFetch,
    now: () => new Date(now().getTime() + waitedMs),
    sleep: (ms) => {
      waitedMs += ms;
      return Promise.resolve();
    },
    random: () => 0.5,
    unloading: new AbortController().signal,
  });
  const post = async (
    body: unknown,
    headers: Readonly<Record<string, string>> = { apikey: SECRET_KEY },
  ) => {
    const response = await handler(
      new Request("http://functions.test/test-endpoint", {
        method: "POST",
        headers: { ...headers },
        body: JSON.stringify(body),
      }),
    );
    await registerAnswer("answer of POST /test-endpoint", response);
    return response;
  };
  return { post, lines: fake.lines, settled: fake.settled };
}

export interface Answer {
  readonly endpoint_type: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

export async function read(response: Response): Promise<Answer> {
  assert.equal(response.status, 200);
  return await response.json();
}

/** The checks as one line: `+` passed, `!` failed, `-` skipped. */
export function outline({ checks }: Answer): string {
  const marks = { pass: "+", fail: "!", skipped: "-" };
  return checks.map(({ name, result }) => `${marks[result]}${name}`).join(" ");
}

export function messageOf({ checks }: Answer, name: string): string {
  return checks.find((check) => check.name === name)?.message ?? "";
}

/** An emulated Drive in which the service account is a member of one shared drive. */
export function setUpDrive() {
  const emulator = createDriveEmulator({ serviceAccounts: [ACCOUNT] });
  emulator.model.addAccount({ email: OWNER });
  const drive = emulator.model.createDrive({ name: "Team", members: [ACCOUNT.client_email] });
  const folder = emulator.model.createFolder({ name: "Plans", parent: drive.id });
  for (let index = 0; index < 3; index++) {
    emulator.model.createFile({ name: `${index}.pdf`, parent: folder.id });
  }
  return { emulator, drive, folder };
}

export async function testDrive(
  endpoint_config: Readonly<Record<string, unknown>>,
  world: Partial<World> & { readonly drive?: ReturnType<typeof setUpDrive> } = {},
): Promise<Answer> {
  const { emulator } = world.drive ?? setUpDrive();
  const { post } = createFunction({ fetch: emulator.fetch, ...world });
  return await read(await post({ endpoint_type: "google_drive", endpoint_config }));
}

export const ALL_WELL =
  "+settings +configuration +token +scope +api_enabled +reachable +page +quota";
