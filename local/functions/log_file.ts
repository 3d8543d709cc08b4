import { join } from "node:path";

const LARGEST_BYTES = 10 * 1024 * 1024;

/** A log that is appended to line by line. */
export interface LogFile {
  readonly path: string;
  write(line: string): void;
  close(): void;
}

/** Opens `<folder>/<name>.log`; a log that has grown large makes room, one old one is kept. */
export function openLogFile(folder: string, name: string): LogFile {
  const path = join(folder, `${name}.log`);
  Deno.mkdirSync(folder, { recursive: true });
  let bytes = sizeOf(path);
  let file = open();
  let isClosed = false;

  function open(): Deno.FsFile {
    return Deno.openSync(path, { create: true, append: true, write: true, mode: 0o600 });
  }

  function makeRoom(): void {
    file.close();
    Deno.renameSync(path, `${path}.old`);
    file = open();
    bytes = 0;
  }

  return {
    path,
    write(line) {
      // A process may still speak its last words after its log has been closed.
      if (isClosed) return;
      if (bytes > LARGEST_BYTES) makeRoom();
      bytes += file.writeSync(new TextEncoder().encode(`${line}\n`));
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      file.close();
    },
  };
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return 0;
    throw cause;
  }
}
