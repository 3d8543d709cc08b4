/**
 * The loop a careful user writes by hand: the official client library, the largest pages, one mask
 * of fields, and upserts of a thousand rows through supabase-js. It keeps no position, finds no
 * paths, deletes nothing and survives no failure; it is timed from its first request to its last
 * answer. Prints `{files, took_ms}`.
 */
import { auth, drive } from "@googleapis/drive";
import { createClient } from "@supabase/supabase-js";
import { readInput } from "./input.ts";
import { printJson } from "./output.ts";

const FOLDER = "application/vnd.google-apps.folder";
const FIELDS = "nextPageToken,incompleteSearch,files(id,name,mimeType,parents,size,createdTime," +
  "modifiedTime,fileExtension,webViewLink,md5Checksum,sha256Checksum,headRevisionId," +
  "originalFilename,webContentLink,owners(displayName,emailAddress)," +
  "lastModifyingUser(displayName,emailAddress))";

const input = readInput();
const credentials = new auth.OAuth2();
credentials.setCredentials({ access_token: input.access_token });
const client = drive({ version: "v3", auth: credentials, rootUrl: `${input.drive_url}/` });
const supabase = createClient(input.api_url, input.secret_key, {
  auth: { persistSession: false, autoRefreshToken: false },
});

const startedAtMs = performance.now();
let files = 0;
let pageToken: string | undefined;
do {
  const { data } = await client.files.list({
    q: "trashed = false",
    corpora: "drive",
    driveId: input.drive_id,
    includeItemsFromAllDrives: true,
    supportsAllDrives: true,
    pageSize: 1000,
    fields: FIELDS,
    ...(pageToken === undefined ? {} : { pageToken }),
  });
  const rows = (data.files ?? []).filter((file) => file.mimeType !== FOLDER).map((file) => ({
    endpoint_id: input.endpoint_id,
    external_file_id: file.id,
    external_parent_id: file.parents?.[0] ?? null,
    file_name: file.name,
    file_link: file.webViewLink,
    file_size: file.size ?? null,
    file_type: file.fileExtension ?? null,
    mime_type: file.mimeType,
    external_created_at: file.createdTime,
    external_updated_at: file.modifiedTime,
    file_metadata: {
      md5_checksum: file.md5Checksum,
      sha256_checksum: file.sha256Checksum,
      head_revision_id: file.headRevisionId,
      original_filename: file.originalFilename,
      web_content_link: file.webContentLink,
      owners: file.owners,
      last_modifying_user: file.lastModifyingUser,
    },
  }));
  if (rows.length > 0) {
    const { error } = await supabase.from("files")
      .upsert(rows, { onConflict: "endpoint_id,external_file_id" });
    if (error !== null) throw new Error(error.message);
  }
  files += rows.length;
  pageToken = data.nextPageToken ?? undefined;
} while (pageToken !== undefined);
await printJson({ files, took_ms: performance.now() - startedAtMs });
Deno.exit(0);
