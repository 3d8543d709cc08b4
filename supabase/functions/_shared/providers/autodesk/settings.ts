import { z } from "zod";
import { SyncError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import type { ProviderSettings } from "../types.ts";
import { type Application, Applications } from "./applications.ts";
import { CLIENT_ID, CLIENT_SECRET, CLIENTS, Credentials, SERVICE_ACCOUNTS } from "./credentials.ts";
import { ServiceAccount } from "./service_account.ts";

/** Settings of the Autodesk Construction Cloud provider. */
export interface AutodeskSettings extends ProviderSettings {
  readonly credentials: Credentials;
}

const DEFAULT_API_URL = "https://developer.api.autodesk.com";
const API_URL = "CONNECTOR_AUTODESK_API_URL";

type ReadEnv = (name: string) => string | undefined;

// Both go into a header, client id and secret parted by a colon.
const clientId = z.string().regex(/^[!-9;-~]+$/);
const secret = z.string().regex(/^[!-~]+$/);
const clients = z.record(clientId, secret);
const accountName = z.string().regex(/^[A-Za-z0-9._-]{1,100}$/);
const PEM = /-----BEGIN (RSA )?PRIVATE KEY-----[\s\S]+-----END (RSA )?PRIVATE KEY-----/;
const serviceAccounts = z.record(
  accountName,
  z.object({
    service_account_id: z.string().regex(/^[!-~]+$/),
    key_id: z.string().regex(/^[!-~]+$/),
    // Copying a key through a .env file often turns its line breaks into a backslash and an n.
    private_key: z.string().transform((pem) => pem.replaceAll("\\n", "\n")).pipe(
      z.string().regex(PEM),
    ),
    client_id: clientId.optional(),
    client_secret: secret.optional(),
  }),
);
type StoredServiceAccount = z.infer<typeof serviceAccounts>[string];

function invalid(name: string, rule: string): SyncError {
  // The value is never shown: it is a secret, or may hold one.
  return new SyncError("setting_invalid", `Cannot read ${name} as it must ${rule}`);
}

function readApiUrl(env: ReadEnv): string {
  const value = env(API_URL)?.trim() || DEFAULT_API_URL;
  const url = URL.parse(value);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
    url.password === "" && url.search === "" && url.hash === "";
  if (isPlain) return value.replace(/\/+$/, "");
  throw invalid(API_URL, "be an http or https address without user, query or fragment");
}

function readClients(env: ReadEnv): Map<string, string> {
  const text = env(CLIENTS)?.trim();
  if (!text) return new Map();
  const result = clients.safeParse(parseJson(text));
  if (result.success) return new Map(Object.entries(result.data));
  throw invalid(CLIENTS, 'be a JSON object of client secrets by client id, as {"<id>":"<secret>"}');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds secrets; the schema refuses `null`.
    return null;
  }
}

function readDefault(env: ReadEnv): readonly [string, string] | null {
  const id = env(CLIENT_ID)?.trim() ?? "";
  const value = env(CLIENT_SECRET)?.trim() ?? "";
  if (id === "" && value === "") return null;
  if (!clientId.safeParse(id).success) {
    throw invalid(CLIENT_ID, `be the client id that belongs to ${CLIENT_SECRET}`);
  }
  if (!secret.safeParse(value).success) {
    throw invalid(CLIENT_SECRET, `be the client secret that belongs to ${CLIENT_ID}`);
  }
  return [id, value];
}

function readApplications(env: ReadEnv): Applications {
  const secrets = readClients(env);
  const chosen = readDefault(env);
  if (chosen !== null) secrets.set(...chosen);
  const [only, ...others] = secrets.keys();
  const single = only !== undefined && others.length === 0 ? only : null;
  return new Applications(secrets, chosen?.[0] ?? single);
}

function applicationOf(
  name: string,
  { client_id, client_secret }: StoredServiceAccount,
  applications: Applications,
): Application | null {
  if (client_id === undefined) {
    if (client_secret === undefined) return null;
    throw invalid(SERVICE_ACCOUNTS, `hold the client_id of the client_secret of entry "${name}"`);
  }
  if (client_secret !== undefined) {
    return { clientId: client_id, clientSecret: new Secret(client_secret) };
  }
  const application = applications.find(client_id);
  if (application !== null) return application;
  throw invalid(
    SERVICE_ACCOUNTS,
    `hold the client_secret of entry "${name}", where neither ${CLIENT_ID} nor ${CLIENTS} holds ` +
      "its client_id",
  );
}

function readServiceAccounts(
  env: ReadEnv,
  applications: Applications,
): ReadonlyMap<string, ServiceAccount> {
  const text = env(SERVICE_ACCOUNTS)?.trim();
  if (!text) return new Map();
  const result = serviceAccounts.safeParse(parseJson(text));
  if (!result.success) {
    const place = result.error.issues[0]?.path.join(".") ?? "";
    throw invalid(
      SERVICE_ACCOUNTS,
      'be a JSON object of service accounts by name, as {"<name>":{"service_account_id":"…",' +
        '"key_id":"…","private_key":"-----BEGIN …"}}, each if need be with client_id and ' +
        `client_secret: look at ${/^[\w.-]+$/.test(place) ? `"${place}"` : "the whole"}`,
    );
  }
  return new Map(
    Object.entries(result.data).map(([name, stored]) => [
      name,
      new ServiceAccount({
        name,
        serviceAccountId: stored.service_account_id,
        keyId: stored.key_id,
        privateKey: stored.private_key,
        application: applicationOf(name, stored, applications),
      }),
    ]),
  );
}

/** Reads the provider's settings from the environment. */
export function parseSettings(env: ReadEnv): AutodeskSettings {
  const apiUrl = readApiUrl(env);
  const applications = readApplications(env);
  const accounts = readServiceAccounts(env, applications);
  const hasOwn = [...accounts.values()].some(({ application }) => application !== null);
  if (applications.isEmpty && !hasOwn) {
    throw new SyncError(
      "setting_invalid",
      `Cannot reach Autodesk as ${CLIENT_ID} and ${CLIENT_SECRET} must hold an application of ` +
        `Autodesk Platform Services (further ones go into ${CLIENTS}): current value is empty`,
    );
  }
  return {
    apiUrl,
    tokenUrl: `${apiUrl}/authentication/v2/token`,
    credentials: new Credentials(applications, accounts),
  };
}
