/** `deno task token --user UUID`: prints a signed-in user's JWT for the running stack. */
import { resolve } from "node:path";
import { z } from "zod";
import { runCommandLine } from "./command.ts";
import { DENO_TASK } from "./deno_task.ts";
import { StackError, UsageError } from "./failure.ts";
import { parseFlags, wholeNumber } from "./flags.ts";
import { loadKeys, signUserToken } from "./keys.ts";
import { defaultStateDir } from "./paths.ts";
import { readStackFile } from "./stack_file.ts";
import { createTerminal } from "./terminal.ts";

const USAGE = `deno task token --user UUID [--state-dir DIR] [--seconds N]

Prints the JWT of a user, for the stack that runs now. It is valid for an hour, or for N seconds.
Any UUID will do: nobody asks whether there is such a user.

  --user UUID       whose token it is; the users of the demo are in stack.json of the state folder
  --state-dir DIR   where the stack keeps its state (.local)
  --seconds N       how long it is valid (3600)
  --help            this text`;

const LONGEST_SECONDS = 31_536_000;

async function main(): Promise<number> {
  const flags = parseFlags(Deno.args, {
    user: { type: "string" },
    "state-dir": { type: "string" },
    seconds: { type: "string" },
    help: { type: "boolean" },
  });
  const terminal = createTerminal();
  if (flags.help) {
    terminal.line(USAGE);
    return 0;
  }
  const user = z.guid().safeParse(flags.user);
  if (!user.success) throw new UsageError("Cannot make a token: --user must be a user's UUID");
  const stateDir = resolve(flags["state-dir"] ?? defaultStateDir());
  const stack = await readStackFile(stateDir);
  if (stack === null) {
    throw new StackError(
      `No stack is running in "${stateDir}": start one with \`${DENO_TASK} start\`, or give the ` +
        "--state-dir of one that runs",
    );
  }
  const id = user.data.toLowerCase();
  const email = stack.users.find((known) => known.id === id)?.email;
  const token = await signUserToken(
    await loadKeys(stateDir),
    { id, ...(email === undefined ? {} : { email }) },
    {
      apiUrl: stack.api_url,
      lifetimeSeconds: wholeNumber("seconds", flags.seconds, 1, LONGEST_SECONDS) ?? 3600,
    },
  );
  terminal.line(token);
  return 0;
}

await runCommandLine(main);
