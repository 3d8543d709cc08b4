import { cpus, totalmem } from "node:os";
import type { World } from "./world.ts";

/** What a measurement was done with. */
export interface Used {
  readonly serverVersion: string;
  /** Of the Deno that runs the functions. */
  readonly denoVersion: string;
  readonly standIns: readonly string[];
}

/** The machine and the versions, one thing a line. */
export async function describeMachine(
  { sql, denoVersion, stack }: Pick<World, "sql" | "denoVersion" | "stack">,
): Promise<string[]> {
  const [row] = await sql<[{ server_version: string }]>`show server_version`;
  return machineFacts({
    serverVersion: row.server_version,
    denoVersion,
    standIns: stack.info.stand_ins,
  });
}

/** The same where the stack is gone already. */
export function machineFacts({ serverVersion, denoVersion, standIns }: Used): string[] {
  const [first] = cpus();
  const gibibytes = totalmem() / 1024 ** 3;
  return [
    `${cpus().length} cores (${first?.model.trim() ?? "unknown"}), ${gibibytes.toFixed(0)} GiB`,
    `${Deno.build.os} ${Deno.osRelease()}`,
    `PostgreSQL ${serverVersion}, durable`,
    `functions under Deno ${denoVersion}, everything else under Deno ${Deno.version.deno}`,
    `stand-ins: ${standIns.join(", ")}`,
    new Date().toISOString().slice(0, 10),
  ];
}
