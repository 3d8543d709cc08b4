/**
 * An emulated Google with a shared drive of each size, which change all the time, in a process of its
 * own. Prints one line of JSON when it is ready.
 *
 * Arguments: port (0: any), path of the service account's key file, numbers of files joined by commas.
 */
import { arrangeDrive } from "../../local/google/arrangement.ts";
import { DriveModel } from "../../local/google/drive_model.ts";
import { generateTree } from "../../local/google/generated_tree.ts";
import { startDriveEmulator } from "../../local/google/server.ts";
import { loadOrCreateServiceAccount } from "../../local/google/service_account.ts";
import { printJson } from "./output.ts";

const CHANGE_EVERY_MS = 10_000;
/** About what the real service takes. */
const LATENCY = { pageMs: 150, callMs: 80 } as const;

const [port = "0", keyFile = "", sizes = ""] = Deno.args;
const account = await loadOrCreateServiceAccount(keyFile);
const model = new DriveModel({ seed: 1 });
const server = await startDriveEmulator({
  model,
  serviceAccounts: [account],
  port: Number(port),
});
server.control.setLatency(LATENCY);
const driveIds = sizes.split(",").map((files) => {
  const { driveId } = arrangeDrive(model, {
    layout: "shared_drive",
    name: `Load ${files}`,
    owner: "owner@example.com",
    reader: account.client_email,
  });
  generateTree(model, { parent: driveId ?? "", files: Number(files) });
  return driveId ?? "";
});
let changes = 0;
setInterval(() => {
  changes += 1;
  for (const parent of driveIds) {
    model.createFile({ parent, name: `New ${changes}.pdf`, size: changes });
  }
}, CHANGE_EVERY_MS);
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
await printJson({ url: server.origin, drive_ids: driveIds });
