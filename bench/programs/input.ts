import { z } from "zod";

const Input = z.object({
  /** Base of the Data API's origin. */
  api_url: z.string(),
  secret_key: z.string(),
  /** Base of the emulated Drive. */
  drive_url: z.string(),
  drive_id: z.string(),
  access_token: z.string(),
  endpoint_id: z.string(),
  rounds: z.number(),
});

/** What the bench tells a program: where everything is, and what to work on. */
export type Input = z.infer<typeof Input>;

/** Reads the one argument of a program. */
export function readInput(): Input {
  return Input.parse(JSON.parse(Deno.args[0] ?? ""));
}
