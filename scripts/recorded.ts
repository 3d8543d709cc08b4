import { repositoryRoot } from "../local/paths.ts";

/**
 * Runs a program in the repository's root, its output going where ours goes and into the file
 * `record` as well; true on success.
 */
export async function runRecorded(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  record: string,
): Promise<boolean> {
  using file = await Deno.open(record, { append: true, create: true, mode: 0o600 });
  // A program that writes into a pipe would do without colours.
  const colors = Deno.stdout.isTerminal() && !Deno.noColor ? { FORCE_COLOR: "1" } : {};
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: repositoryRoot(),
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system", ...colors, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await Promise.all([
    passOn(child.stdout, [Deno.stdout, file]),
    passOn(child.stderr, [Deno.stderr, file]),
  ]);
  return (await child.status).success;
}

interface Sink {
  writeSync(bytes: Uint8Array): number;
}

async function passOn(source: ReadableStream<Uint8Array>, sinks: readonly Sink[]): Promise<void> {
  for await (const bytes of source) {
    for (const sink of sinks) {
      for (let at = 0; at < bytes.length;) at += sink.writeSync(bytes.subarray(at));
    }
  }
}
