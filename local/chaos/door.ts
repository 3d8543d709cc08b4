/** A connection between two parts of the stack that can be cut, silenced and slowed. */

/** How a door treats what passes through it. */
export type DoorState =
  /** Everything passes at once. */
  | { readonly type: "open" }
  /** Connections break, and new ones are closed as soon as they come. */
  | { readonly type: "cut" }
  /** Nothing passes and nobody is told; what was on its way is lost. */
  | { readonly type: "silent" }
  /** Every piece waits for so long. */
  | { readonly type: "slow"; readonly ms: number };

/** A door that is listening. */
export interface Door extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Changes what happens from now on. Out of silence, what was on its way never arrives. */
  set(state: DoorState): void;
}

/** Opens a door to `target`, an origin of this machine. It works on bytes, and knows no HTTP. */
export function openDoor(target: string): Door {
  const port = Number(new URL(target).port);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const passages = new Set<Passage>();
  let state: DoorState = { type: "open" };

  async function admit(): Promise<void> {
    for await (const caller of listener) {
      if (state.type === "cut") close(caller);
      else void pass(caller);
    }
  }

  async function pass(caller: Deno.Conn): Promise<void> {
    let callee: Deno.Conn;
    try {
      callee = await Deno.connect({ hostname: "127.0.0.1", port });
    } catch {
      // Nobody is there: the caller learns it as from any port that is closed.
      return close(caller);
    }
    const passage = createPassage(caller, callee, () => state);
    passages.add(passage);
    await passage.ended;
    passages.delete(passage);
  }

  const admitting = admit();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    set(next) {
      const isBreaking = next.type === "cut" || state.type === "silent";
      state = next;
      if (isBreaking) { for (const passage of passages) passage.close(); }
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const passage of passages) passage.close();
      await admitting;
    },
  };
}

interface Passage {
  readonly ended: Promise<void>;
  close(): void;
}

function createPassage(caller: Deno.Conn, callee: Deno.Conn, state: () => DoorState): Passage {
  let isClosed = false;
  const closeBoth = () => {
    isClosed = true;
    close(caller);
    close(callee);
  };

  async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const piece = new Uint8Array(64 * 1024);
    for (let size = await from.read(piece); size !== null; size = await from.read(piece)) {
      await delayFor(state(), () => isClosed);
      if (isClosed) return;
      for (let sent = 0; sent < size;) sent += await to.write(piece.subarray(sent, size));
    }
  }

  // Either side that goes away takes the other along: nobody here sends half a request.
  const way = (from: Deno.Conn, to: Deno.Conn) => pump(from, to).catch(() => {}).then(closeBoth);
  const ended = Promise.all([way(caller, callee), way(callee, caller)]).then(() => {});
  return { ended, close: closeBoth };
}

async function delayFor(state: DoorState, isClosed: () => boolean): Promise<void> {
  if (state.type === "slow") await sleep(state.ms);
  // Ends when the passage is closed, which is how a silence ends.
  else if (state.type === "silent") { while (!isClosed()) await sleep(20); }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already, which is what was wanted.
  }
}
