/** The extensions a Supabase database has beyond PostgreSQL's own, and our stand-ins for them. */

/** Extensions that the migrations rely on. */
export const PLATFORM_EXTENSIONS = ["pg_cron", "pg_net", "supabase_vault"] as const;

/** The name of one of {@linkcode PLATFORM_EXTENSIONS}. */
export type PlatformExtension = typeof PLATFORM_EXTENSIONS[number];

/** The version each stand-in gives itself: that of the extension whose interface it has. */
const VERSIONS: Record<PlatformExtension, string> = {
  pg_cron: "1.6",
  pg_net: "0.20.4",
  supabase_vault: "0.3.1",
};

/** A file of an extension, to be put into the server's extension folder. */
export interface ExtensionFile {
  readonly name: string;
  readonly text: string;
}

/** Returns the control and SQL files of the stand-in for `extension`. */
export async function standInFiles(extension: PlatformExtension): Promise<ExtensionFile[]> {
  const names = [`${extension}.control`, `${extension}--${VERSIONS[extension]}.sql`];
  return await Promise.all(names.map(async (name) => ({
    name,
    text: await Deno.readTextFile(new URL(name, import.meta.url)),
  })));
}
