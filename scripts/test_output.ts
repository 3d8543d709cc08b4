/** How programs are run whose output is kept in a file as well. */
import { repositoryRoot } from "../local/paths.ts";
import type { runVisibly } from "./steps.ts";

/** Runs a program in the repository's root; answers whether it ended well. */
export type RunProgram = typeof runVisibly;

/** Shows what a program writes as it comes, and keeps it in the file `record`. */
export function runRecorded(record: string): RunProgram {
  return async (...program) => {
    using file = openRecord(record);
    const child = spawn(...program);
    await Promise.all([
      passOn(child.stdout, [Deno.stdout, file]),
      passOn(child.stderr, [Deno.stderr, file]),
    ]);
    return (await child.status).success;
  };
}

/**
 * As {@linkcode runRecorded}, but shows the output in one piece, below `title`, once all of it is
 * there: programs that run at the same time do not talk into each other's output.
 */
export function runThenShow(title: string, record: string): RunProgram {
  return async (...program) => {
    using file = openRecord(record);
    const child = spawn(...program);
    const output = [new TextEncoder().encode(`${title}\n`)];
    const collected = {
      writeSync: (bytes: Uint8Array<ArrayBuffer>) => (output.push(bytes), bytes.length),
    };
    await Promise.all([
      passOn(child.stdout, [collected, file]),
      passOn(child.stderr, [collected, file]),
    ]);
    const { success } = await child.status;
    // Nothing else has a turn to write before all of it is written.
    for (const bytes of output) writeWhole(Deno.stdout, bytes);
    return success;
  };
}

function openRecord(record: string): Deno.FsFile {
  return Deno.openSync(record, { append: true, create: true, mode: 0o600 });
}

function spawn(...[command, args, env]: Parameters<RunProgram>): Deno.ChildProcess {
  // A program that writes into a pipe would do without colours.
  const colors = Deno.stdout.isTerminal() && !Deno.noColor ? { FORCE_COLOR: "1" } : {};
  return new Deno.Command(command, {
    args: [...args],
    cwd: repositoryRoot(),
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system", ...colors, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

type Bytes = Uint8Array<ArrayBuffer>;

interface Sink {
  writeSync(bytes: Bytes): number;
}

async function passOn(source: ReadableStream<Bytes>, sinks: readonly Sink[]): Promise<void> {
  for await (const bytes of source) {
    for (const sink of sinks) writeWhole(sink, bytes);
  }
}

function writeWhole(sink: Sink, bytes: Bytes): void {
  for (let at = 0; at < bytes.length;) at += sink.writeSync(bytes.subarray(at));
}
