/** The pages of a drive as the connector reads them, one after the other, with nothing around it. */
import { googleDrive } from "../../supabase/functions/_shared/providers/google_drive/index.ts";
import type {
  ListingStart,
  Page,
  ProviderContext,
  Task,
} from "../../supabase/functions/_shared/providers/types.ts";
import type { Input } from "./input.ts";

type Config = Parameters<typeof googleDrive.readPage>[1]["config"];

/** A listing, read to its end without windows, and the URLs of its pages of files. */
export interface ReadDrive {
  readonly start: ListingStart;
  readonly pages: readonly {
    readonly kind: string;
    readonly sequence: number;
    readonly page: Page;
  }[];
  readonly texts: readonly string[];
}

/** Reads the whole drive into memory. */
export async function readDrive(input: Input): Promise<ReadDrive> {
  const texts: string[] = [];
  const context: ProviderContext<Config> = {
    config: googleDrive.parseConfig({ drive_id: input.drive_id }),
    apiUrl: input.drive_url,
    pageSize: 1000,
    idleLanes: 0,
    mode: "full",
    memory: null,
    now: () => new Date(),
    signal: new AbortController().signal,
    getJson: async (url) => {
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${input.access_token}` },
      });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      if (text.includes('"files"')) texts.push(text);
      return JSON.parse(text);
    },
  };
  const start = await googleDrive.startListing(context);
  const pages: { kind: string; sequence: number; page: Page }[] = [];
  const open = [...start.seeds];
  for (let seed = open.shift(); seed !== undefined; seed = open.shift()) {
    let task: Task = { id: 0, folder_ids: [], sequence: 0, kind: seed.kind, cursor: seed.cursor };
    while (true) {
      const page = await googleDrive.readPage(task, context);
      pages.push({ kind: task.kind, sequence: task.sequence, page });
      open.push(...page.seeds);
      if (page.next.type === "done") break;
      task = { ...task, cursor: page.next.cursor, sequence: task.sequence + 1 };
    }
  }
  return { start, pages, texts };
}
