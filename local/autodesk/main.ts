/**
 * Serves an emulated Autodesk Platform Services until it is told to stop. Prints one line of JSON
 * when it is ready.
 *
 * Flags, each with an environment variable in its place:
 *   --port N             AUTODESK_EMULATOR_PORT           a free port where it is missing
 *   --folder DIR         AUTODESK_EMULATOR_FOLDER         serve this directory, watched
 *   --items N            AUTODESK_EMULATOR_ITEMS          serve a generated tree of N items
 *   --folders N          AUTODESK_EMULATOR_FOLDERS        folders of the tree; a tenth of the items
 *   --seed N             AUTODESK_EMULATOR_SEED           decides ids and the generated tree
 *   --client-id ID       AUTODESK_EMULATOR_CLIENT_ID      the app that may ask for tokens
 *   --client-secret S    AUTODESK_EMULATOR_CLIENT_SECRET  its secret
 *   --redirect-uri URI   AUTODESK_EMULATOR_REDIRECT_URI   where people go after their consent
 *   --latency-ms N       AUTODESK_EMULATOR_LATENCY_MS     time each call takes
 *   --system-folders     AUTODESK_EMULATOR_SYSTEM_FOLDERS=true  folders beside Project Files
 *   --quota              AUTODESK_EMULATOR_QUOTA=true     apply the service's limits
 *   --control            AUTODESK_EMULATOR_CONTROL=true   serve /__control
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { plainJson } from "../plain_text.ts";
import { ApsModel } from "./aps_model.ts";
import { arrangeProject } from "./arrangement.ts";
import { generateTree } from "./generated_tree.ts";
import { type ApsServer, startApsEmulator } from "./server.ts";
import { watchFolder } from "./watched_folder.ts";

const Settings = z.object({
  port: z.coerce.number().int().min(0).max(65535).default(0),
  folder: z.string().optional(),
  items: z.coerce.number().int().min(0).default(0),
  folders: z.coerce.number().int().min(1).optional(),
  seed: z.coerce.number().int().default(1),
  clientId: z.string().default("file-connector-local"),
  clientSecret: z.string().default("file-connector-local-secret"),
  redirectUri: z.string().optional(),
  latencyMs: z.coerce.number().min(0).default(0),
  systemFolders: z.boolean().default(false),
  quota: z.boolean().default(false),
  control: z.boolean().default(false),
});
type Settings = z.infer<typeof Settings>;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const settings = readSettings();
  const model = new ApsModel({ seed: settings.seed });
  const server = await start(model, settings);
  const admin = model.addUser({ email: "admin@example.com", name: "Ada Admin" });
  const place = arrangeProject(model, {
    clientId: settings.clientId,
    adminId: admin.id,
    hasSystemFolders: settings.systemFolders,
    createdTime: "2016-01-01T00:00:00Z",
  });
  const { items, folders, seed } = settings;
  if (items > 0) generateTree(model, { parent: place.folderId, items, folders, seed });
  const folder = settings.folder === undefined ? null : await watchFolder(model, {
    directory: settings.folder,
    parent: place.folderId,
    onError: (error) => print(Deno.stderr, { event: "watch_failed", message: String(error) }),
  });
  stopOnSignal(server, () => folder?.stop());
  print(Deno.stdout, {
    event: "ready",
    origin: server.origin,
    client_id: settings.clientId,
    hub_id: place.hubId,
    project_id: place.projectId,
    folder_id: place.folderId,
    user_id: admin.id,
    folders: model.folders.size,
    items: model.items.size,
    pid: Deno.pid,
  });
}

async function start(model: ApsModel, settings: Settings): Promise<ApsServer> {
  const { clientId, clientSecret, redirectUri, latencyMs } = settings;
  const redirectUris = redirectUri === undefined ? [] : [redirectUri];
  const server = await startApsEmulator({
    model,
    apps: [{ clientId, clientSecret, redirectUris, name: "File Connector" }],
    port: settings.port,
    hasControlRoute: settings.control,
  });
  server.control.setLatency({ pageMs: latencyMs, callMs: latencyMs });
  if (settings.quota) server.control.setQuota({});
  return server;
}

function readSettings(): Settings {
  const text = { type: "string" } as const;
  const truth = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      port: text,
      folder: text,
      items: text,
      folders: text,
      seed: text,
      "client-id": text,
      "client-secret": text,
      "redirect-uri": text,
      "latency-ms": text,
      "system-folders": truth,
      quota: truth,
      control: truth,
    },
  });
  const env = (name: string) => Deno.env.get(`AUTODESK_EMULATOR_${name}`) || undefined;
  return Settings.parse({
    port: values.port ?? env("PORT"),
    folder: values.folder ?? env("FOLDER"),
    items: values.items ?? env("ITEMS"),
    folders: values.folders ?? env("FOLDERS"),
    seed: values.seed ?? env("SEED"),
    clientId: values["client-id"] ?? env("CLIENT_ID"),
    clientSecret: values["client-secret"] ?? env("CLIENT_SECRET"),
    redirectUri: values["redirect-uri"] ?? env("REDIRECT_URI"),
    latencyMs: values["latency-ms"] ?? env("LATENCY_MS"),
    systemFolders: values["system-folders"] ?? env("SYSTEM_FOLDERS") === "true",
    quota: values.quota ?? env("QUOTA") === "true",
    control: values.control ?? env("CONTROL") === "true",
  });
}

function stopOnSignal(server: ApsServer, stopFolder: () => Promise<void> | undefined): void {
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
