/**
 * The least that reading pages can cost: parse, validate and encode each page of a drive, nothing
 * else. Goes over all pages once to get warm and then `rounds` times; prints
 * `{files, cpu_ms: [per round]}`, the CPU time of the whole process.
 */
import process from "node:process";
import { z } from "zod";
import { driveItem } from "../../supabase/functions/_shared/providers/google_drive/schemas.ts";
import { readDrive } from "./drive_pages.ts";
import { readInput } from "./input.ts";
import { printJson } from "./output.ts";

const PageOfItems = z.object({
  nextPageToken: z.string().optional(),
  incompleteSearch: z.boolean(),
  files: z.array(driveItem),
});

const input = readInput();
const { texts, pages } = await readDrive(input);
const files = pages.reduce((sum, { page }) => sum + page.files.length, 0);
let characters = 0;

function goOver(): number {
  const before = process.cpuUsage();
  for (const text of texts) {
    characters += JSON.stringify(PageOfItems.parse(JSON.parse(text))).length;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

goOver();
const rounds = Array.from({ length: input.rounds }, goOver);
await printJson({ files, cpu_ms: rounds, characters });
Deno.exit(0);
