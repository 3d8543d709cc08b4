import assert from "node:assert/strict";
import { join } from "node:path";
import { StackError } from "../../../local/failure.ts";
import { listFunctions } from "../../../local/functions/function_list.ts";

async function withRoot(
  files: Readonly<Record<string, string>>,
  test: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
  await test(root).finally(() => Deno.remove(root, { recursive: true }));
}

Deno.test("listFunctions() lists folders with an index.ts and leaves out _shared and disabled ones", async () => {
  const files = {
    "supabase/functions/health/index.ts": "",
    "supabase/functions/sync-drive/index.ts": "",
    "supabase/functions/off/index.ts": "",
    "supabase/functions/empty/README.md": "",
    "supabase/functions/_shared/index.ts": "",
    "supabase/config.toml":
      "[functions.health]\nverify_jwt = false\n[functions.off]\nenabled = false\n",
  };
  await withRoot(files, async (root) => {
    const found = await listFunctions(root);
    assert.deepEqual(found.map(({ slug, verifyJwt }) => [slug, verifyJwt]), [
      ["health", false],
      ["sync-drive", true],
    ]);
  });
});

Deno.test("listFunctions() names a config.toml it cannot read, in one line", async () => {
  const files = {
    "supabase/functions/health/index.ts": "",
    "supabase/config.toml": "[functions.health\n",
  };
  await withRoot(files, async (root) => {
    await assert.rejects(listFunctions(root), (cause) => {
      assert(cause instanceof StackError);
      assert.match(cause.message, /^Cannot read ".*config\.toml": \S.*$/);
      return true;
    });
  });
});
