import { deepStrictEqual as deepEqual, equal, ok } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import {
  toFileRecord,
  toFolderRecord,
} from "../../../supabase/functions/_shared/providers/google_drive/file_record.ts";
import { firstParent } from "../../../supabase/functions/_shared/providers/google_drive/items.ts";
import { isPlainItem } from "../../../supabase/functions/_shared/providers/google_drive/item_check.ts";
import { driveItem } from "../../../supabase/functions/_shared/providers/google_drive/schemas.ts";

const PLAIN = {
  id: "1",
  name: "",
  mimeType: "text/plain",
  parents: ["p"],
  size: "1",
  createdTime: "2026-01-01T00:00:00Z",
  modifiedTime: "2026-01-01T00:00:00Z",
  fileExtension: "txt",
  webViewLink: "https://drive.google.com/1",
  webContentLink: "https://drive.google.com/1/content",
  md5Checksum: "m",
  sha256Checksum: "s",
  headRevisionId: "h",
  originalFilename: "o",
  resourceKey: "r",
  driveId: "d",
  sharedWithMeTime: "2026-01-01T00:00:00Z",
  shortcutDetails: { targetId: "t", targetMimeType: "text/plain", targetResourceKey: "k" },
  owners: [{ displayName: "Ada", emailAddress: "ada@example.com" }],
  lastModifyingUser: { displayName: "Ada", emailAddress: "ada@example.com" },
};

Deno.test("isPlainItem() knows each field of the schema", () => {
  deepEqual(Object.keys(PLAIN).sort(), Object.keys(driveItem.shape).sort());
  ok(isPlainItem(PLAIN));
  ok(isPlainItem({ id: "1", name: "", mimeType: "text/plain" }));
});

const oddText = fc.constantFrom("", "text", "\0", "half \ud800", "é");
const odd: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  fc.constantFrom(null, undefined, 0, false),
  fc.array(oddText, { maxLength: 2 }),
  fc.array(fc.constantFrom(null, "a", {}, { displayName: "" }, { emailAddress: 1 }), {
    maxLength: 2,
  }),
  fc.record({ displayName: oddText, targetId: oddText }, { requiredKeys: [] }),
);

Deno.test("isPlainItem() takes only what makes the same rows as what the schema reads", () => {
  let taken = 0;
  const name = fc.constantFrom(...Object.keys(PLAIN));
  fc.assert(
    fc.property(fc.dictionary(name, odd, { maxKeys: 2 }), (fields) => {
      const item = { ...PLAIN, ...fields };
      const read = driveItem.safeParse(item);
      if (!isPlainItem(item)) return;
      taken += 1;
      ok(read.success);
      deepEqual(toFileRecord(item, null), toFileRecord(read.data, null));
      deepEqual(toFolderRecord(item, null, false), toFolderRecord(read.data, null, false));
      equal(firstParent(item), firstParent(read.data));
      equal(item.driveId, read.data.driveId);
    }),
    { numRuns: 2_000, seed: 7 },
  );
  ok(taken > 200, `${taken} taken`);
  for (const other of [null, undefined, "item", 7, [], [PLAIN]]) equal(isPlainItem(other), false);
});
