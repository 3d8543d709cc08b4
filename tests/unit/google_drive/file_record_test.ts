import { deepEqual, equal, ok } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import {
  toFileRecord,
  toFolderRecord,
} from "../../../supabase/functions/_shared/providers/google_drive/file_record.ts";
import { readItems } from "../../../supabase/functions/_shared/providers/google_drive/items.ts";
import { driveItem } from "../../../supabase/functions/_shared/providers/google_drive/schemas.ts";
import {
  showValue,
  toStorableText,
} from "../../../supabase/functions/_shared/providers/google_drive/text.ts";

function read(fields: Record<string, unknown>) {
  const item = driveItem.parse({
    id: "F1",
    name: "Plan.PDF",
    mimeType: "application/pdf",
    ...fields,
  });
  return toFileRecord(item, "P1");
}

Deno.test("toFileRecord() fills every column", () => {
  const { file, unreadableValues } = read({
    size: "9007199254740993",
    fileExtension: "PDF",
    parents: ["P1"],
    createdTime: "2016-12-02T14:35:35.758Z",
    modifiedTime: "2020-01-02T03:04:05+02:00",
    webViewLink: "https://drive.google.com/file/d/F1/view",
    webContentLink: "https://drive.google.com/uc?id=F1",
    md5Checksum: "aa",
    sha256Checksum: "bb",
    headRevisionId: "r1",
    originalFilename: "plan.pdf",
    resourceKey: "k1",
    driveId: "D1",
    owners: [{ displayName: "Ann", emailAddress: "ann@company.example", me: true }],
    lastModifyingUser: { displayName: "Bob" },
    version: "77",
    viewedByMeTime: "2020-01-02T03:04:05Z",
  });
  equal(unreadableValues, 0);
  deepEqual(file, {
    external_file_id: "F1",
    external_parent_id: "P1",
    file_name: "Plan.PDF",
    file_link: "https://drive.google.com/file/d/F1/view",
    file_size: "9007199254740993",
    file_type: "pdf",
    mime_type: "application/pdf",
    external_created_at: "2016-12-02T14:35:35.758Z",
    external_updated_at: "2020-01-02T03:04:05+02:00",
    file_metadata: {
      md5_checksum: "aa",
      sha256_checksum: "bb",
      head_revision_id: "r1",
      original_filename: "plan.pdf",
      resource_key: "k1",
      web_content_link: "https://drive.google.com/uc?id=F1",
      drive_id: "D1",
      owners: [{ display_name: "Ann", email_address: "ann@company.example" }],
      last_modifying_user: { display_name: "Bob" },
    },
  });
});

Deno.test("toFileRecord() leaves empty what Drive leaves out", () => {
  const { file } = read({ name: "notes", mimeType: "text/plain" });
  equal(file.file_size, null);
  equal(file.file_type, null);
  equal(file.external_created_at, null);
  equal(file.file_link, "https://drive.google.com/open?id=F1");
  deepEqual(file.file_metadata, {});
});

Deno.test("toFileRecord() records a shortcut and where it leads", () => {
  const { file } = read({
    name: "To plan",
    mimeType: "application/vnd.google-apps.shortcut",
    shortcutDetails: { targetId: "T", targetMimeType: "application/pdf" },
  });
  equal(file.file_type, "shortcut");
  const shortcut = { target_id: "T", target_mime_type: "application/pdf" };
  deepEqual(file.file_metadata, { shortcut });
});

const types: readonly (readonly [Record<string, unknown>, string | null])[] = [
  [{ fileExtension: "DWG", name: "a.pdf" }, "dwg"],
  [{ name: "archive.tar.GZ" }, "gz"],
  [{ name: "bad", fileExtension: "" }, null],
  [{ name: "a.rvt", fileExtension: "" }, "rvt"],
  [{ name: ".gitignore" }, null],
  [{ name: "v1. final draft" }, null],
  [{ name: "ends with." }, null],
  [{ name: "a.b/c" }, null],
  [{ name: "план.чертёж" }, "чертёж"],
  [{ name: "x.pdf", mimeType: "application/vnd.google-apps.document" }, "document"],
  [{ name: "x", mimeType: "application/vnd.google-apps.spreadsheet" }, "spreadsheet"],
  [{ name: "x", mimeType: "application/vnd.google-apps.drive-sdk.123" }, "drive-sdk"],
  [{ name: "x", mimeType: "application/vnd.google-apps." }, null],
];

for (const [fields, type] of types) {
  Deno.test(`toFileRecord() sees the type ${type} in ${JSON.stringify(fields)}`, () => {
    equal(read(fields).file.file_type, type);
  });
}

const sizes: readonly (readonly [unknown, string | null, number])[] = [
  ["0", "0", 0],
  ["0042", "42", 0],
  ["9223372036854775807", "9223372036854775807", 0],
  ["9223372036854775808", null, 1],
  ["-1", null, 1],
  ["1e3", null, 1],
  [12, null, 1],
  [null, null, 0],
];

for (const [size, expected, unreadable] of sizes) {
  Deno.test(`toFileRecord() reads the size ${JSON.stringify(size)} as ${expected}`, () => {
    const result = read({ size });
    equal(result.file.file_size, expected);
    equal(result.unreadableValues, unreadable);
  });
}

const times: readonly (readonly [unknown, boolean])[] = [
  ["1601-01-01T00:00:00.000Z", true],
  ["9999-12-31T23:59:59.999Z", true],
  ["0001-01-01T00:00:00Z", true],
  ["0001-01-01T00:00:00+05:00", false],
  ["0000-01-01T00:00:00Z", false],
  ["2020-13-01T00:00:00Z", false],
  ["2020-01-01", false],
  ["yesterday", false],
  [1_600_000_000, false],
];

for (const [time, isKept] of times) {
  Deno.test(`toFileRecord() ${isKept ? "keeps" : "drops and counts"} the time ${time}`, () => {
    const { file, unreadableValues } = read({ createdTime: time, modifiedTime: time });
    equal(file.external_created_at, isKept ? time : null);
    equal(file.external_updated_at, isKept ? time : null);
    equal(unreadableValues, isKept ? 0 : 2);
  });
}

Deno.test("toFileRecord() keeps every parent of an item that has several", () => {
  deepEqual(read({ parents: ["P1", "P2"] }).file.file_metadata, { parents: ["P1", "P2"] });
});

Deno.test("toFileRecord() gives links a browser may open", () => {
  const { file } = read({ webViewLink: "javascript:alert(1)" });
  equal(file.file_link, "https://drive.google.com/open?id=F1");
});

Deno.test("names that are empty get Drive's own word for it", () => {
  equal(read({ name: "" }).file.file_name, "Untitled");
  equal(toFolderRecord({ id: "A", name: "" }, null, false).folder_name, "Untitled");
});

Deno.test("names keep slashes, line breaks and everything else PostgreSQL can store", () => {
  const name = "a/b\\c\n\t👩‍👧 \u202E'\"%";
  equal(read({ name }).file.file_name, name);
  equal(read({ name: "a\0b\uD800c" }).file.file_name, "a\uFFFDb\uFFFDc");
});

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xFFFF }).map(String.fromCharCode) });

Deno.test("toStorableText() makes any text storable, once and for all, and no longer", () => {
  fc.assert(fc.property(anyText, (text) => {
    const stored = toStorableText(text);
    ok(isStorable(stored));
    equal(toStorableText(stored), stored);
    equal(stored.length, text.length);
    if (isStorable(text)) equal(stored, text);
  }));
});

Deno.test("toFileRecord() gives only what PostgreSQL can store, whatever Drive answers", () => {
  const text = fc.option(fc.oneof(anyText, fc.integer()), { nil: undefined });
  const fields = fc.record({
    name: anyText,
    mimeType: anyText.filter((type) => type !== ""),
    fileExtension: text,
    webViewLink: text,
    md5Checksum: text,
    originalFilename: text,
    createdTime: text,
    size: text,
    owners: fc.array(fc.record({ displayName: text, emailAddress: text })),
    shortcutDetails: fc.record({ targetId: text }),
  });
  fc.assert(fc.property(fields, (item) => {
    JSON.stringify(read(item).file, (_, value) => {
      if (typeof value === "string") ok(isStorable(value));
      return value;
    });
  }));
});

Deno.test("showValue() cuts a long value and keeps it storable", () => {
  equal(showValue(undefined), "undefined");
  ok(isStorable(showValue("👩".repeat(200))));
  ok(showValue("x".repeat(500)).length < 110);
});

Deno.test("readItems() keeps one item of each id, as it was seen last", () => {
  const entry = fc.record({ id: fc.constantFrom("A", "B", "C"), name: fc.string() });
  fc.assert(fc.property(fc.array(entry), (entries) => {
    const listed = entries.map((each) => ({ ...each, mimeType: "text/plain" }));
    const { items } = readItems(listed, "P");
    const last = new Map(entries.map(({ id, name }) => [id, name]));
    deepEqual(new Map(items.map(({ id, name }) => [id, name])), last);
    equal(items.length, last.size);
  }));
});

Deno.test("readItems() reports what it cannot read and reads the rest", () => {
  const good = { id: "A", name: "a", mimeType: "text/plain" };
  const listed = [
    good,
    { id: "B", mimeType: "text/plain" },
    { name: "no id", mimeType: "text/plain" },
    { ...good, id: "C", parents: "P" },
    { ...good, id: "nul\0" },
    "text",
    null,
  ];
  const { items, unreadable } = readItems(listed, "P");
  deepEqual(items.map(({ id }) => id), ["A"]);
  const places = unreadable.map((entry) => entry.external_folder_id);
  deepEqual(places, ["B", "P", "C", "P", "P", "P"]);
  ok(unreadable.every(({ code }) => code === "response_invalid"));
});
