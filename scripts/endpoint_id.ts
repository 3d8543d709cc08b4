/** The id by which a person names an endpoint that is stored. */
import { z } from "zod";
import { DENO_TASK } from "../local/deno_task.ts";
import { StackError } from "../local/failure.ts";

/** Where a person finds it. */
export const ENDPOINT_IDS = `\`${DENO_TASK} endpoint:list\` shows the ids`;

/** Reads `--id`. */
export function readEndpointId(id: string | undefined): string {
  const read = z.guid().safeParse(id);
  if (read.success) return read.data;
  throw new StackError(`Cannot use --id as it must be an endpoint's UUID: ${ENDPOINT_IDS}`);
}
