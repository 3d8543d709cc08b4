/**
 * The bare database floor: the rows of a drive through the function that commits pages, one call
 * after the other, through the same REST door. The calls' bodies are made beforehand, so that
 * nothing but sending, committing and answering is timed. Prints `{files, took_ms}`.
 */
import { z } from "zod";
import { readDrive } from "./drive_pages.ts";
import { readInput } from "./input.ts";
import { printJson } from "./output.ts";

const Claimed = z.object({
  claims: z.array(z.object({ endpoint_id: z.string(), lease_token: z.string() })),
});
const Tasks = z.object({ tasks: z.array(z.object({ id: z.number(), kind: z.string() })) });
const COUNT = { folders_per_task: 50, provider_calls: 1 };

const input = readInput();

async function call(name: string, body: string): Promise<unknown> {
  const response = await fetch(`${input.api_url}/rest/v1/rpc/${name}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      apikey: input.secret_key,
      authorization: `Bearer ${input.secret_key}`,
    },
    body,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text);
}

const { start, pages } = await readDrive(input);
const claimed = await call("connector_claim", JSON.stringify({ p_max_concurrent: 10, p_batch: 1 }));
const [lease] = Claimed.parse(claimed).claims;
await call("connector_begin_slice", JSON.stringify({ p_leases: [lease] }));
const first = await call(
  "connector_start_listing",
  JSON.stringify({ p_lease: lease, p_start: { ...start, ...COUNT } }),
);
const bodies = pages.map(({ kind, sequence, page }) => ({
  kind,
  rest: `${JSON.stringify({ ...page, filtered: [], sequence, ...COUNT }).slice(1)}}`,
}));
const files = pages.reduce((sum, { page }) => sum + page.files.length, 0);
const head = `{"p_lease":${JSON.stringify(lease)},"p_page":{"task_id":`;
const taskIds = new Map<string, number>();
const note = (answer: unknown) => {
  for (const { id, kind } of Tasks.parse(answer).tasks) taskIds.set(kind, id);
};
note(first);

const startedAtMs = performance.now();
for (const { kind, rest } of bodies) {
  note(await call("connector_commit_page", `${head}${taskIds.get(kind)},${rest}`));
}
await printJson({ files, took_ms: performance.now() - startedAtMs });
Deno.exit(0);
