/**
 * An emulated Google Drive in a process of its own: a shared drive with one folder, and a tree of
 * files below it. Prints one line of JSON when it is ready.
 *
 * Arguments: port, number of files, path of the service account's key file.
 */
import { arrangeDrive } from "../../local/google/arrangement.ts";
import { DriveModel } from "../../local/google/drive_model.ts";
import { generateTree } from "../../local/google/generated_tree.ts";
import { startDriveEmulator } from "../../local/google/server.ts";
import { loadOrCreateServiceAccount } from "../../local/google/service_account.ts";
import { DRIVE_SCOPE } from "../../supabase/functions/_shared/providers/google_drive/scopes.ts";
import { printJson } from "./output.ts";

const [port = "0", files = "0", keyFile = ""] = Deno.args;
const account = await loadOrCreateServiceAccount(keyFile);
const model = new DriveModel({ seed: 1 });
const server = await startDriveEmulator({
  model,
  serviceAccounts: [account],
  port: Number(port),
  hasControlRoute: true,
  keepsTexts: true,
});
const { driveId } = arrangeDrive(model, {
  layout: "shared_drive",
  name: "Bench",
  owner: "owner@example.com",
  reader: account.client_email,
});
const parent = driveId ?? "";
const folder = model.createFolder({ name: "Projects", parent, isQuiet: true });
generateTree(model, { parent: folder.id, files: Number(files) });
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
await printJson({
  drive_id: driveId,
  folder_id: folder.id,
  access_token: server.issueAccessToken(account.client_email, [DRIVE_SCOPE]),
});
