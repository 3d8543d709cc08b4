/**
 * The least that reading pages can cost: parse, validate and encode each page of a drive, nothing
 * else. Goes over all pages once to get warm and then `rounds` times `PASSES`; prints
 * `{files, cpu_ms: [of one pass, per round]}`, the CPU time of the whole process.
 */
import { z } from "zod";
import { driveItem } from "../../supabase/functions/_shared/providers/google_drive/schemas.ts";
import { readDrive } from "./drive_pages.ts";
import { repeat } from "../measure.ts";
import { cpuMs } from "../process_stat.ts";
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

// The kernel counts in steps of ten milliseconds.
const PASSES = 5;

async function goOver(passes: number): Promise<number> {
  const before = await cpuMs(Deno.pid);
  for (let pass = 0; pass < passes; pass++) {
    for (const text of texts) {
      characters += JSON.stringify(PageOfItems.parse(JSON.parse(text))).length;
    }
  }
  return (await cpuMs(Deno.pid) - before) / passes;
}

await goOver(1);
const rounds = await repeat(input.rounds, () => goOver(PASSES));
await printJson({ files, cpu_ms: rounds, characters });
Deno.exit(0);
