import { z } from "zod";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type {
  ListingStart,
  Page,
  ProviderContext,
  Task,
} from "../../supabase/functions/_shared/providers/types.ts";
import type { AcmeFilesConfig } from "./config.ts";
import { File, Folder, toFile, toFolder } from "./entries.ts";
import { showValue } from "./text.ts";

const children = z.object({
  entries: z.array(z.discriminatedUnion("type", [Folder, File])),
  next_cursor: z.string().min(1).nullish(),
});

type Context = ProviderContext<AcmeFilesConfig>;

/** Looks at the folder of the scope; everything below it is read in tasks of one folder each. */
export async function startListing({ config, apiUrl, getJson }: Context): Promise<ListingStart> {
  const url = new URL(`${apiUrl}/v1/folders/${encodeURIComponent(config.folderId)}`);
  const root = toFolder(read(Folder, await getJson(url)), true);
  return {
    roots: [root],
    seeds: [],
    walk: [root.external_folder_id],
    feeds: [],
    is_tree: true,
    sweep: "everything",
  };
}

/** Reads one page of one folder. */
export async function readPage(task: Task, context: Context): Promise<Page> {
  const [folderId] = task.folder_ids;
  if (task.kind !== "walk" || folderId === undefined) {
    throw new SyncError(
      "cursor_expired",
      "Cannot read a task as its kind must be one this version knows: " +
        `current value is ${showValue(task.kind)}`,
    );
  }
  const { apiUrl, pageSize } = context;
  const url = new URL(`${apiUrl}/v1/folders/${encodeURIComponent(folderId)}/children`);
  url.searchParams.set("limit", String(pageSize));
  if (typeof task.cursor === "string") url.searchParams.set("cursor", task.cursor);
  const { entries, next_cursor } = read(children, await context.getJson(url));
  const folders = entries.filter((entry) => entry.type === "folder").map((one) => toFolder(one));
  return {
    files: entries.filter((entry) => entry.type === "file").map(toFile),
    folders,
    walk: folders.map(({ external_folder_id }) => external_folder_id),
    seeds: [],
    skipped: [],
    receipt: { pages: 1, items: entries.length },
    next: next_cursor ? { type: "more", cursor: next_cursor } : { type: "done" },
  };
}

function read<Shape>(shape: z.ZodType<Shape>, body: unknown): Shape {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  throw new SyncError("response_invalid", "Cannot read an answer of Acme Files", {
    cause: result.error,
  });
}
