import { arrangeDrive } from "../../../local/google/arrangement.ts";
import type { DriveModel } from "../../../local/google/drive_model.ts";
import { type DriveServer, startDriveEmulator } from "../../../local/google/server.ts";
import {
  createServiceAccount,
  type ServiceAccountJson,
} from "../../../local/google/service_account.ts";
import { OTHER, PERSON, secretText, type StagedProvider } from "./staged_provider.ts";

/** Starts an emulated Google Drive: two people, and a folder shared with a service account. */
export async function startGoogle(): Promise<StagedProvider> {
  const { json: account } = await createServiceAccount();
  const server = await startDriveEmulator({ serviceAccounts: [account] });
  fillDrives(server.model);
  const folderId = fillOffice(server.model, account.client_email);
  const client = { clientId: "e2e.apps.googleusercontent.com", clientSecret: secretText() };
  return {
    endpointType: "google_drive",
    userConfig: { auth: "user" },
    applicationConfigs: [{ folder_id: folderId }],
    page: {
      url: server.authUrl,
      accountField: "email",
      account: PERSON.email,
      allow: "Continue",
      deny: "Cancel",
    },
    files: ["ground floor.pdf", "lent.pdf"],
    settings: settingsOf(server, client, account),
    privateKeys: { service_account_key: account.private_key },
    server,
    allowCallback: (url) =>
      server.registerOAuthClient({ ...client, redirectUris: [url], name: "File Connector" }),
  };
}

function fillDrives(model: DriveModel): void {
  const person = model.addAccount({ email: PERSON.email, displayName: PERSON.name });
  const other = model.addAccount({ email: OTHER.email, displayName: OTHER.name });
  const plans = model.createFolder({ name: "plans", parent: person.root.id });
  model.createFile({ name: "ground floor.pdf", parent: plans.id });
  model.createFile({ name: "hidden.pdf", parent: other.root.id });
  const lent = model.createFile({ name: "lent.pdf", parent: other.root.id });
  model.share(lent.id, PERSON.email);
}

function fillOffice(model: DriveModel, reader: string): string {
  const { folderId } = arrangeDrive(model, {
    layout: "shared_folder",
    name: "Office",
    owner: "office@example.com",
    reader,
  });
  model.createFile({ name: "office.pdf", parent: folderId });
  return folderId;
}

function settingsOf(
  { origin, tokenUrl, authUrl }: DriveServer,
  client: { readonly clientId: string; readonly clientSecret: string },
  account: ServiceAccountJson,
): StagedProvider["settings"] {
  return {
    CONNECTOR_GOOGLE_API_URL: origin,
    CONNECTOR_GOOGLE_TOKEN_URL: tokenUrl,
    CONNECTOR_GOOGLE_AUTH_URL: authUrl,
    CONNECTOR_GOOGLE_CLIENT_ID: client.clientId,
    CONNECTOR_GOOGLE_CLIENT_SECRET: client.clientSecret,
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: JSON.stringify({ ...account, token_uri: tokenUrl }),
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH: "",
    CONNECTOR_GOOGLE_DRIVE_SERVICE_ACCOUNTS: "",
    CONNECTOR_GOOGLE_IMPERSONATE: "",
  };
}
