/**
 * The walk a careful user writes by hand: Autodesk's own client, one folder after the other, the
 * largest pages to their last link, and upserts of a thousand rows through supabase-js. It keeps no
 * position, finds no paths, deletes nothing and survives no failure; it is timed from its first
 * request to its last answer. Prints `{files, took_ms}`.
 */
import {
  AdskEnvironment,
  ApsConfiguration,
  Logger,
  LogLevel,
  SdkManagerBuilder,
} from "@aps_sdk/autodesk-sdkmanager";
import { DataManagementClient } from "@aps_sdk/data-management";
import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import { printJson } from "./output.ts";
import { WalkInput } from "./walk_input.ts";

const ROWS = 1000;

// The client's own types leave open what lies in a folder.
const Contents = z.object({
  data: z.array(z.object({
    type: z.string(),
    id: z.string(),
    attributes: z.object({
      displayName: z.string().optional(),
      createTime: z.string().optional(),
      createUserName: z.string().optional(),
    }),
    links: z.object({ webView: z.object({ href: z.string() }).optional() }).optional(),
  })),
  included: z.array(z.object({
    id: z.string(),
    attributes: z.object({
      name: z.string(),
      versionNumber: z.number().optional(),
      storageSize: z.number().optional(),
      fileType: z.string().optional(),
      mimeType: z.string().optional(),
      lastModifiedTime: z.string().optional(),
      lastModifiedUserName: z.string().optional(),
    }),
    relationships: z.object({ item: z.object({ data: z.object({ id: z.string() }) }) }),
  })).default([]),
  links: z.object({ next: z.unknown().optional() }),
});

const input = WalkInput.parse(JSON.parse(Deno.args[0] ?? ""));
const configuration = new ApsConfiguration({ environment: AdskEnvironment.Prd });
configuration.baseAddress = new URL(input.aps_url);
const client = new DataManagementClient({
  sdkManager: SdkManagerBuilder.create().addApsConfiguration(configuration)
    .addLogger(new Logger(LogLevel.ERROR, false)).build(),
  authenticationProvider: { getAccessToken: () => Promise.resolve(input.access_token) },
});
const supabase = createClient(input.api_url, input.secret_key, {
  auth: { persistSession: false, autoRefreshToken: false },
});

let files = 0;
const rows: Record<string, unknown>[] = [];

async function store(): Promise<void> {
  if (rows.length === 0) return;
  const { error } = await supabase.from("files")
    .upsert(rows, { onConflict: "endpoint_id,external_file_id" });
  if (error !== null) throw new Error(error.message);
  files += rows.length;
  rows.length = 0;
}

const startedAtMs = performance.now();
const tops = await client.getProjectTopFolders(input.hub_id, input.project_id);
const folders = (tops.data ?? []).map(({ id }) => id ?? "");
for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
  for (let pageNumber = 0, isLast = false; !isLast; pageNumber++) {
    const options = { pageNumber, pageLimit: 200 };
    const page = Contents.parse(
      await client.getFolderContents(input.project_id, folder, options),
    );
    const tips = new Map(page.included.map((tip) => [tip.relationships.item.data.id, tip]));
    for (const { type, id, attributes, links } of page.data) {
      if (type === "folders") {
        folders.push(id);
        continue;
      }
      const tip = tips.get(id);
      rows.push({
        endpoint_id: input.endpoint_id,
        external_file_id: id,
        external_parent_id: folder,
        file_name: tip?.attributes.name ?? attributes.displayName,
        file_link: links?.webView?.href,
        file_size: tip?.attributes.storageSize ?? null,
        file_type: tip?.attributes.fileType ?? null,
        mime_type: tip?.attributes.mimeType ?? null,
        external_created_at: attributes.createTime,
        external_updated_at: tip?.attributes.lastModifiedTime,
        file_metadata: {
          version_number: tip?.attributes.versionNumber,
          version_urn: tip?.id,
          created_by: attributes.createUserName,
          modified_by: tip?.attributes.lastModifiedUserName,
        },
      });
    }
    isLast = page.links.next === undefined;
    if (rows.length >= ROWS) await store();
  }
}
await store();
await printJson({ files, took_ms: performance.now() - startedAtMs });
Deno.exit(0);
