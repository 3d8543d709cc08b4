import { SequencedLog } from "./sequenced_log.ts";

/** What an entry of a change log is about. What happened is read from the current state. */
export interface ChangeEntry {
  readonly type: "file" | "drive";
  /** Id of the file or shared drive. */
  readonly id: string;
  readonly atMs: number;
}

/** The change logs: one for each account, one for each shared drive. */
export class ChangeLogs {
  readonly #logs = new Map<string, SequencedLog<string, ChangeEntry>>();

  /** The log of an account (`user:<e-mail>`) or a shared drive (`drive:<id>`). */
  log(name: string): SequencedLog<string, ChangeEntry> {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = new SequencedLog();
      this.#logs.set(name, log);
    }
    return log;
  }

  /** Notes an entry, in place of an older one about the same thing. */
  note(logName: string, entry: ChangeEntry): void {
    this.log(logName).append(`${entry.type}:${entry.id}`, entry);
  }
}

/** Name of an account's log. */
export function userLogName(email: string): string {
  return `user:${email}`;
}

/** Name of a shared drive's log. */
export function driveLogName(driveId: string): string {
  return `drive:${driveId}`;
}
