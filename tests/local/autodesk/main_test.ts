import assert from "node:assert/strict";
import { z } from "zod";

const Ready = z.object({
  event: z.literal("ready"),
  origin: z.string(),
  client_id: z.string(),
  project_id: z.string(),
  items: z.number(),
});

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

Deno.test("The emulator runs as a process of its own until it is told to stop", async () => {
  const main = new URL("../../../local/autodesk/main.ts", import.meta.url);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main.href, "--items", "30", "--folders", "3", "--client-secret", "s"],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const ready = Ready.parse(JSON.parse(await firstLine(process.stdout)));
    assert.equal(ready.items, 30);
    const response = await fetch(`${ready.origin}/authentication/v2/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: ready.client_id,
        client_secret: "s",
        scope: "data:read",
      }),
    });
    assert.equal(response.status, 200);
    await response.body?.cancel();
  } finally {
    process.kill("SIGTERM");
  }
  assert.equal((await process.status).code, 0);
});
