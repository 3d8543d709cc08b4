import assert from "node:assert/strict";
import { createFileFilter } from "../../../supabase/functions/_shared/sync/file_types.ts";

const plan = { file_name: "Plan.PDF", file_type: "pdf", mime_type: "application/pdf" };
const photo = { file_name: "photo.jpeg", file_type: "jpeg", mime_type: "image/jpeg" };
const archive = { file_name: "src.tar.gz", file_type: "gz", mime_type: "application/gzip" };
const googleDoc = {
  file_name: "Notes",
  file_type: "document",
  mime_type: "application/vnd.google-apps.document",
};
const bare = { file_name: "README", file_type: null, mime_type: null };

function wanted(fileTypes: string[] | null) {
  const filter = createFileFilter(fileTypes);
  return [plan, photo, archive, googleDoc, bare].filter(filter).map((file) => file.file_name);
}

Deno.test("createFileFilter() takes everything for null and for a star", () => {
  const all = ["Plan.PDF", "photo.jpeg", "src.tar.gz", "Notes", "README"];
  assert.deepEqual(wanted(null), all);
  assert.deepEqual(wanted(["*"]), all);
  assert.deepEqual(wanted(["pdf", "*"]), all);
  assert.deepEqual(wanted(["*/*"]), all);
});

Deno.test("createFileFilter() takes nothing for an empty list", () => {
  assert.deepEqual(wanted([]), []);
});

Deno.test("createFileFilter() knows an extension with and without its dot, in any case", () => {
  for (const pattern of ["pdf", ".pdf", "PDF", ".Pdf", "*.pdf", " pdf "]) {
    assert.deepEqual(wanted([pattern]), ["Plan.PDF"], pattern);
  }
});

Deno.test("createFileFilter() knows extensions of two parts", () => {
  assert.deepEqual(wanted([".tar.gz"]), ["src.tar.gz"]);
  assert.deepEqual(wanted(["gz"]), ["src.tar.gz"]);
});

Deno.test("createFileFilter() does not take an extension for a part of one", () => {
  assert.deepEqual(wanted(["df"]), []);
  assert.deepEqual(wanted(["peg"]), []);
});

Deno.test("createFileFilter() knows MIME types, whole and with a wildcard, in any case", () => {
  assert.deepEqual(wanted(["application/pdf"]), ["Plan.PDF"]);
  assert.deepEqual(wanted(["IMAGE/*"]), ["photo.jpeg"]);
  assert.deepEqual(wanted(["application/*"]), ["Plan.PDF", "src.tar.gz", "Notes"]);
});

Deno.test("createFileFilter() passes over the parameters of a MIME type", () => {
  const filter = createFileFilter(["text/plain"]);
  assert.equal(filter({ ...bare, mime_type: "text/plain; charset=utf-8" }), true);
});

Deno.test("createFileFilter() knows a provider's own kinds", () => {
  assert.deepEqual(wanted(["document"]), ["Notes"]);
});

Deno.test("createFileFilter() joins its patterns by or", () => {
  assert.deepEqual(wanted(["pdf", "image/*"]), ["Plan.PDF", "photo.jpeg"]);
});
