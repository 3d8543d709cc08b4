/**
 * Serves an emulated Google Drive until it is told to stop. Prints one line of JSON when it is ready.
 *
 * Flags, each with an environment variable in its place:
 *   --port N                 GOOGLE_EMULATOR_PORT             a free port where it is missing
 *   --folder DIR             GOOGLE_EMULATOR_FOLDER           serve this directory, watched
 *   --files N                GOOGLE_EMULATOR_FILES            serve a generated tree of N files
 *   --seed N                 GOOGLE_EMULATOR_SEED             decides ids and the generated tree
 *   --layout LAYOUT          GOOGLE_EMULATOR_LAYOUT           shared_folder (standard) or shared_drive
 *   --service-account PATH   GOOGLE_EMULATOR_SERVICE_ACCOUNT  key file; made where it is missing
 *   --client-id ID           GOOGLE_EMULATOR_CLIENT_ID        a web application people may connect to
 *   --client-secret S        GOOGLE_EMULATOR_CLIENT_SECRET    its secret
 *   --redirect-uri URI       GOOGLE_EMULATOR_REDIRECT_URI     where people go after their consent
 *   --page-latency-ms N      GOOGLE_EMULATOR_PAGE_LATENCY_MS  time each page of a list takes
 *   --control                GOOGLE_EMULATOR_CONTROL=true     serve /__control
 */
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { plainJson } from "../plain_text.ts";
import { arrangeDrive, LAYOUTS } from "./arrangement.ts";
import { DriveModel } from "./drive_model.ts";
import { generateTree } from "./generated_tree.ts";
import { type DriveServer, startDriveEmulator } from "./server.ts";
import { loadOrCreateServiceAccount } from "./service_account.ts";
import { watchFolder } from "./watched_folder.ts";

const Settings = z.object({
  port: z.coerce.number().int().min(0).max(65535).default(0),
  folder: z.string().optional(),
  files: z.coerce.number().int().min(0).default(0),
  seed: z.coerce.number().int().default(1),
  layout: z.enum(LAYOUTS).default("shared_folder"),
  serviceAccount: z.string().default(".local/google/service_account.json"),
  clientId: z.string().default("file-connector-local"),
  clientSecret: z.string().default("file-connector-local-secret"),
  redirectUri: z.string().optional(),
  pageLatencyMs: z.coerce.number().min(0).default(0),
  control: z.boolean().default(false),
});

const OWNER = "owner@example.com";

if (import.meta.main) await main();

async function main(): Promise<void> {
  const settings = readSettings();
  const serviceAccount = await loadOrCreateServiceAccount(resolve(settings.serviceAccount));
  const model = new DriveModel({ seed: settings.seed });
  const server = await startDriveEmulator({
    model,
    serviceAccounts: [serviceAccount],
    oauthClients: settings.redirectUri === undefined ? [] : [{
      clientId: settings.clientId,
      clientSecret: settings.clientSecret,
      redirectUris: [settings.redirectUri],
      name: "File Connector",
    }],
    port: settings.port,
    hasControlRoute: settings.control,
  });
  server.control.setLatency({ pageMs: settings.pageLatencyMs });
  const name = settings.folder === undefined ? "Generated" : basename(resolve(settings.folder));
  const place = arrangeDrive(model, {
    layout: settings.layout,
    name,
    owner: OWNER,
    reader: serviceAccount.client_email,
  });
  if (settings.files > 0) {
    generateTree(model, { parent: place.folderId, files: settings.files, seed: settings.seed });
  }
  const folder = settings.folder === undefined ? null : await watchFolder(model, {
    directory: settings.folder,
    parent: place.folderId,
    onError: (error) => print(Deno.stderr, { event: "watch_failed", message: String(error) }),
  });
  stopOnSignal(server, () => folder?.stop());
  print(Deno.stdout, {
    event: "ready",
    origin: server.origin,
    token_url: server.tokenUrl,
    auth_url: server.authUrl,
    folder_id: place.folderId,
    drive_id: place.driveId,
    account: serviceAccount.client_email,
    items: model.listingOrder.size,
    pid: Deno.pid,
  });
}

function readSettings(): z.infer<typeof Settings> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      port: text,
      folder: text,
      files: text,
      seed: text,
      layout: text,
      "service-account": text,
      "client-id": text,
      "client-secret": text,
      "redirect-uri": text,
      "page-latency-ms": text,
      control: { type: "boolean" },
    },
  });
  const env = (name: string) => Deno.env.get(`GOOGLE_EMULATOR_${name}`) || undefined;
  return Settings.parse({
    port: values.port ?? env("PORT"),
    folder: values.folder ?? env("FOLDER"),
    files: values.files ?? env("FILES"),
    seed: values.seed ?? env("SEED"),
    layout: values.layout ?? env("LAYOUT"),
    serviceAccount: values["service-account"] ?? env("SERVICE_ACCOUNT"),
    clientId: values["client-id"] ?? env("CLIENT_ID"),
    clientSecret: values["client-secret"] ?? env("CLIENT_SECRET"),
    redirectUri: values["redirect-uri"] ?? env("REDIRECT_URI"),
    pageLatencyMs: values["page-latency-ms"] ?? env("PAGE_LATENCY_MS"),
    control: values.control ?? env("CONTROL") === "true",
  });
}

function stopOnSignal(server: DriveServer, stopFolder: () => Promise<void> | undefined): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      void (async () => {
        await stopFolder();
        await server.stop();
        Deno.exit(0);
      })();
    });
  }
}

function print(
  stream: typeof Deno.stdout | typeof Deno.stderr,
  fields: Readonly<Record<string, unknown>>,
): void {
  stream.writeSync(new TextEncoder().encode(`${plainJson(fields, 0)}\n`));
}
