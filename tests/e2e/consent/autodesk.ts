import { generateKeyPairSync } from "node:crypto";
import { ApsModel } from "../../../local/autodesk/aps_model.ts";
import { arrangeProject } from "../../../local/autodesk/arrangement.ts";
import { startApsEmulator } from "../../../local/autodesk/server.ts";
import { OTHER, PERSON, secretText, type StagedProvider } from "./staged_provider.ts";

/** Starts an emulated Autodesk Construction Cloud: a project, a member and a service account. */
export async function startAutodesk(): Promise<StagedProvider> {
  const model = new ApsModel();
  const app = { clientId: "e2eClientId", clientSecret: secretText(), name: "File Connector" };
  const server = await startApsEmulator({ model, apps: [app] });
  model.addUser(OTHER);
  const person = model.addUser(PERSON);
  const robot = model.addUser({ email: "robot@example.com" });
  const config = { project_id: fillProject(model, app.clientId, [person.id, robot.id]) };
  const key = makePrivateKey();
  const { clientId } = app;
  server.registerServiceAccount({ clientId, userId: robot.id, keyId: "key-1", key });
  const account = { service_account_id: robot.id, key_id: "key-1", private_key: key };
  return {
    endpointType: "autodesk_construction_cloud",
    userConfig: { auth: "user", ...config },
    applicationConfigs: [config, { service_account: "robot", ...config }],
    page: {
      url: `${server.origin}/authentication/v2/authorize`,
      accountField: "user_id",
      account: person.id,
      allow: "Allow",
      deny: "Deny",
    },
    files: ["roof.dwg"],
    settings: {
      CONNECTOR_AUTODESK_API_URL: server.origin,
      CONNECTOR_AUTODESK_CLIENT_ID: clientId,
      CONNECTOR_AUTODESK_CLIENT_SECRET: app.clientSecret,
      CONNECTOR_AUTODESK_CLIENTS: "",
      CONNECTOR_AUTODESK_SERVICE_ACCOUNTS: JSON.stringify({ robot: account }),
    },
    privateKeys: { secure_service_account_key: key },
    server,
    allowCallback: (url) => server.registerApp({ ...app, redirectUris: [url] }),
  };
}

function fillProject(model: ApsModel, clientId: string, members: readonly string[]): string {
  const { projectId, folderId } = arrangeProject(model, { clientId });
  for (const member of members) model.setMember(projectId, member, "admin");
  const plans = model.createFolder({ name: "plans", parent: folderId });
  model.createItem({ name: "roof.dwg", parent: plans.id, size: 9 });
  return projectId;
}

function makePrivateKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
