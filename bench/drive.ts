import { z } from "zod";
import { startProgram } from "./program.ts";

const Ready = z.object({
  drive_id: z.string(),
  folder_id: z.string(),
  access_token: z.string(),
});

/** An emulated Google Drive in a process of its own. */
export interface Drive {
  readonly url: string;
  readonly driveId: string;
  /** The folder that holds everything. */
  readonly folderId: string;
  readonly accessToken: string;
  /** How long each page of a list takes. */
  setPageLatency(pageMs: number): Promise<void>;
  renameFolder(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Drive with `files` files. */
export async function startDrive(
  options: { readonly port: number; readonly files: number; readonly keyFile: string },
): Promise<Drive> {
  const { port, files, keyFile } = options;
  const program = await startProgram({
    deno: Deno.execPath(),
    name: "drive",
    args: [String(port), String(files), keyFile],
  }, Ready);
  const url = `http://127.0.0.1:${port}`;
  const order = async (action: string, body: unknown) => {
    const answer = await fetch(`${url}/__control/${action}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`The emulated Drive refuses "${action}": ${text}`);
  };
  const { drive_id: driveId, folder_id: folderId, access_token: accessToken } = program.said;
  return {
    url,
    driveId,
    folderId,
    accessToken,
    setPageLatency: (pageMs) => order("latency", { pageMs }),
    renameFolder: (name) =>
      order("operations", { operations: [{ operation: "rename", id: folderId, name }] }),
    stop: () => program.stop(),
  };
}
