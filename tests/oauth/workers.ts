import { fileURLToPath } from "node:url";

const WORKER = fileURLToPath(new URL("refresh_worker.ts", import.meta.url));

/** What a worker is told. */
export interface WorkerOrder {
  readonly endpointId: string;
  readonly tokenUrl: string;
  readonly death: "never" | "before_asking" | "before_storing";
}

/** How a worker's process ended, and what it said last. */
export interface WorkerEnd {
  readonly signal: string | null;
  readonly said: unknown;
}

/** Starts `count` processes, lets them begin at the same time, and waits for their ends. */
export async function runWorkers(count: number, order: WorkerOrder): Promise<WorkerEnd[]> {
  const workers = Array.from({ length: count }, () =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", WORKER, JSON.stringify(order)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn());
  const lines = workers.map(({ stdout }) => stdout.pipeThrough(new TextDecoderStream()));
  const readers = lines.map((stream) => stream.getReader());
  // All of them have loaded before any begins.
  await Promise.all(readers.map((reader) => reader.read()));
  await Promise.all(workers.map(async ({ stdin }) => {
    const writer = stdin.getWriter();
    await writer.write(new TextEncoder().encode("go\n"));
    await writer.close();
  }));
  return await Promise.all(workers.map(async (worker, n) => {
    let text = "";
    const reader = readers[n];
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
      text += read.value;
    }
    const { signal } = await worker.status;
    return { signal, said: text === "" ? null : JSON.parse(text) };
  }));
}
