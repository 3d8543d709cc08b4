/** The account the server runs as: PostgreSQL refuses to run as root. */

import { StackError } from "../failure.ts";

/** A system account by its numbers. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Accounts to drop to, best first. */
const UNPRIVILEGED = ["postgres", "nobody"];

/** Returns the account to drop to, or undefined when this process may run the server itself. */
export async function serverAccount(): Promise<Account | undefined> {
  if (Deno.build.os === "windows") {
    throw new StackError("The embedded database needs Linux or macOS: use --database-url instead");
  }
  if (Deno.uid() !== 0) return undefined;
  const passwd = await Deno.readTextFile("/etc/passwd");
  const accounts = new Map(
    passwd.split("\n").map((line) => {
      const [name = "", , uid = "", gid = ""] = line.split(":");
      return [name, { uid: Number(uid), gid: Number(gid) }];
    }),
  );
  for (const name of UNPRIVILEGED) {
    const account = accounts.get(name);
    if (account !== undefined && account.uid !== 0) return account;
  }
  throw new StackError(
    "PostgreSQL does not run as root, and this machine has neither a postgres nor a nobody account",
  );
}

/** Tells whether `account` can walk to `directory`, whose own mode does not count. */
export async function canReach(directory: string, account: Account): Promise<boolean> {
  let path = directory;
  while (path !== "/") {
    path = path.slice(0, Math.max(1, path.lastIndexOf("/")));
    const { mode, uid, gid } = await Deno.stat(path);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if (((mode ?? 0) & bit) === 0) return false;
  }
  return true;
}
