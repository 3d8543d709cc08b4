import { repositoryRoot } from "../local/paths.ts";
import type { runVisibly } from "./steps.ts";

/**
 * As {@linkcode runVisibly}, but shows the output in one piece, below `title`, once all of it is
 * there: programs that run at the same time do not talk into each other's output.
 */
export async function runThenShow(
  title: string,
  ...[command, args, env]: Parameters<typeof runVisibly>
): Promise<boolean> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: repositoryRoot(),
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = [new TextEncoder().encode(`${title}\n`)];
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const chunk of stream) output.push(chunk);
  };
  const ends = [collect(child.stdout), collect(child.stderr)];
  const { success } = await child.status;
  await Promise.all(ends);
  // Nothing else has a turn to write before all of it is written.
  output.forEach(writeWhole);
  return success;
}

function writeWhole(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += Deno.stdout.writeSync(bytes.subarray(written));
  }
}
