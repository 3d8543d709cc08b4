import assert from "node:assert/strict";
import { showBytes } from "../../local/show_bytes.ts";

Deno.test("showBytes() names the unit, of 1,024 each, that it has counted in", () => {
  const cases = [[0, "0 B"], [1023, "1023 B"], [1024, "1.0 KiB"], [1_500_000, "1.4 MiB"]] as const;
  for (const [bytes, text] of cases) assert.equal(showBytes(bytes), text);
  assert.equal(showBytes(1024 ** 6), "1024.0 PiB");
});
