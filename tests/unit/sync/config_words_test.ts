import assert from "node:assert/strict";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { describeConfig } from "../../../supabase/functions/_shared/sync/endpoint_check/config_words.ts";

const READ = "endpoint_config can be read.";

function google(stored: unknown): string {
  return describeConfig(googleDrive, stored, googleDrive.parseConfig(stored));
}

Deno.test("a misspelt scope is named, and that everything is synced", () => {
  const sentence = google({ foldr_id: "A" });
  assert.ok(sentence.startsWith(`${READ} Keys of it that are not used: "foldr_id" (misspelt?). `));
  assert.match(sentence, /no shared drive: everything the account can see is synced.*\.$/);
  for (const nothing of [{}, { folder_id: null }]) {
    assert.match(google(nothing), /^endpoint_config can be read\. It names no folder/);
  }
});

Deno.test("a configuration of which every key is read is not remarked on", () => {
  const full = { drive_id: "D", folder_ids: ["A"], impersonate: "a@example.com", auth: "user" };
  assert.equal(google(full), READ);
  const project = { project_id: "b.1", hub_id: "b.2", auth: "application" };
  assert.equal(describeConfig(autodesk, project, autodesk.parseConfig(project)), READ);
  const odd = { ...project, folder_id: "urn:a" };
  assert.equal(
    describeConfig(autodesk, odd, autodesk.parseConfig(odd)),
    `${READ} Keys of it that are not used: "folder_id" (misspelt?).`,
  );
});

Deno.test("many and long keys are cut, and none reaches the sentence raw", () => {
  const keys = Array.from({ length: 13 }, (_, index) => [`${index}\n${"x".repeat(60)}`, 1]);
  const sentence = google({ folder_id: "A", ...Object.fromEntries(keys) });
  assert.match(sentence, / and 3 more \(misspelt\?\)\.$/);
  assert.ok(!sentence.includes("\n") && !sentence.includes("x".repeat(41)));
});
