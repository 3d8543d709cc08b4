import { cpus, totalmem } from "node:os";
import type { World } from "./world.ts";

/** The machine and the versions, one thing a line. */
export async function describeMachine(
  { sql, denoVersion, stack }: Pick<World, "sql" | "denoVersion" | "stack">,
): Promise<string[]> {
  const [row] = await sql<{ server_version: string }[]>`show server_version`;
  const [first] = cpus();
  const gibibytes = totalmem() / 1024 ** 3;
  return [
    `${cpus().length} cores (${first?.model.trim() ?? "unknown"}), ${gibibytes.toFixed(0)} GiB`,
    `${Deno.build.os} ${Deno.osRelease()}`,
    `PostgreSQL ${row?.server_version}, durable`,
    `functions under Deno ${denoVersion}, everything else under Deno ${Deno.version.deno}`,
    `stand-ins: ${stack.info.stand_ins.join(", ")}`,
    new Date().toISOString().slice(0, 10),
  ];
}
