import { deepEqual, equal, ok } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/autodesk/config.ts";
import {
  joinTip,
  readEntries,
} from "../../../supabase/functions/_shared/providers/autodesk/entries.ts";
import {
  isDeleted,
  toFileRecord,
} from "../../../supabase/functions/_shared/providers/autodesk/file_record.ts";
import {
  itemResource,
  resourceList,
} from "../../../supabase/functions/_shared/providers/autodesk/schemas.ts";

const PROJECT = "c2960674-2d1e-4cc8-a5f0-4b9026fd3f5d";
const CONFIG = parseConfig({ project_id: PROJECT });
const ID = "urn:adsk.wipemea:dm.lineage:hC6k4hndRWaeIVhIjvHu8w";
const TIP = "urn:adsk.wipemea:fs.file:vf.hC6k4hndRWaeIVhIjvHu8w?version=2";
const PARENT = "urn:adsk.wipemea:fs.folder:co.sdfedf8wef";

const item = (attributes = {}, more = {}) => ({
  type: "items",
  id: ID,
  attributes: {
    displayName: "my_model",
    createTime: "2018-01-17T11:52:11.0000000Z",
    createUserName: "John Doe",
    lastModifiedTime: "2018-01-17T11:53:19.0000000Z",
    lastModifiedUserName: "Jane Roe",
    hidden: false,
    ...attributes,
  },
  links: { webView: { href: "https://acc.autodesk.com/docs/x" } },
  relationships: { tip: { data: { type: "versions", id: TIP } } },
  ...more,
});

const version = (attributes = {}, more = {}) => ({
  type: "versions",
  id: TIP,
  attributes: {
    name: "my_model.RVT",
    displayName: "my_model",
    createTime: "2018-01-17T11:52:34.0000000Z",
    createUserName: "John Doe",
    lastModifiedTime: "2018-01-17T11:53:20+0000",
    lastModifiedUserName: "",
    versionNumber: 2,
    mimeType: "application/vnd.autodesk.r360",
    fileType: "rvt",
    storageSize: 123_456_789_012,
    extension: {
      type: "versions:autodesk.bim360:C4RModel",
      data: { processState: "PROCESSING_COMPLETE", revisionDisplayLabel: "B" },
    },
    ...attributes,
  },
  ...more,
});

function read(shown: unknown, ...included: unknown[]) {
  return toFileRecord(joinTip(itemResource.parse(shown), included), PARENT, CONFIG);
}

Deno.test("toFileRecord() describes a file by its lineage and its tip version", () => {
  deepEqual(read(item(), version()), {
    file: {
      external_file_id: ID,
      external_parent_id: PARENT,
      file_name: "my_model.RVT",
      file_link: "https://acc.autodesk.com/docs/x",
      file_size: "123456789012",
      file_type: "rvt",
      mime_type: "application/vnd.autodesk.r360",
      external_created_at: "2018-01-17T11:52:11Z",
      external_updated_at: "2018-01-17T11:53:20Z",
      file_metadata: {
        version_number: 2,
        version_urn: TIP,
        revision_label: "B",
        created_by: "John Doe",
        modified_by: "Jane Roe",
        process_state: "PROCESSING_COMPLETE",
        region: "EMEA",
      },
    },
    unreadableValues: 0,
  });
});

Deno.test("toFileRecord() makes do without a version", () => {
  const { file } = read(item({ displayName: "plan.pdf" }));
  equal(file.file_name, "plan.pdf");
  equal(file.file_type, "pdf");
  equal(file.file_size, null);
  equal(file.external_updated_at, "2018-01-17T11:53:19Z");
  deepEqual(file.file_metadata, {
    created_by: "John Doe",
    modified_by: "Jane Roe",
    region: "EMEA",
  });
});

Deno.test("toFileRecord() never has an empty name", () => {
  const extension = { data: { sourceFileName: "source.dwg" } };
  equal(read(item({ displayName: "", extension })).file.file_name, "source.dwg");
  equal(read(item({ displayName: "" })).file.file_name, "Untitled");
  equal(read(item(), version({ name: "", displayName: "" })).file.file_name, "my_model");
});

Deno.test("toFileRecord() keeps slashes and spaces, and alters only what cannot be stored", () => {
  equal(
    read(item(), version({ name: " a/b\\c\u0000\ud800 " })).file.file_name,
    " a/b\\c\ufffd\ufffd ",
  );
});

Deno.test("toFileRecord() makes the web address where Autodesk gives none", () => {
  const links = { webView: { href: "javascript:alert(1)" } };
  const made = read(item({}, { links }), version()).file.file_link;
  equal(
    made,
    `https://acc.autodesk.com/docs/files/projects/${PROJECT}?folderUrn=` +
      `${encodeURIComponent(PARENT)}&entityId=${encodeURIComponent(ID)}`,
  );
  const ofVersion = { links: { webView: { href: "https://docs.b360.autodesk.com/v" } } };
  const bare = item({}, { links: {} });
  equal(read(bare, version({}, ofVersion)).file.file_link, "https://docs.b360.autodesk.com/v");
});

const sizes: readonly (readonly [unknown, string | null, number])[] = [
  [0, "0", 0],
  ["0123", "123", 0],
  [undefined, null, 0],
  [null, null, 0],
  [-1, null, 1],
  [1.5, null, 1],
  [1e300, null, 1],
  ["big", null, 1],
];

for (const [storageSize, expected, unreadable] of sizes) {
  Deno.test(`toFileRecord() reads a size of ${JSON.stringify(storageSize)}`, () => {
    const { file, unreadableValues } = read(item(), version({ storageSize }));
    deepEqual([file.file_size, unreadableValues], [expected, unreadable]);
  });
}

Deno.test("toFileRecord() takes the type from the name where Autodesk's is no extension", () => {
  const type = (attributes: object) => read(item(), version(attributes)).file.file_type;
  equal(type({ fileType: ".PDF" }), "pdf");
  equal(type({ fileType: "", name: "a.DWG" }), "dwg");
  equal(type({ fileType: "a/b", name: "archive.tar.gz" }), "gz");
  equal(type({ fileType: undefined, name: ".hidden" }), null);
  equal(type({ fileType: undefined, name: "v1. final" }), null);
});

Deno.test("toFileRecord() counts times it cannot read", () => {
  const { file, unreadableValues } = read(item({ createTime: "soon" }), version());
  deepEqual([file.external_created_at, unreadableValues], [null, 1]);
  equal(read(item({ createTime: "" }), version()).file.external_created_at, "2018-01-17T11:52:34Z");
});

Deno.test("toFileRecord() names no region it does not know", () => {
  const region = (id: string) => read({ ...item(), id }).file.file_metadata["region"];
  equal(region("urn:adsk.wipprod:dm.lineage:a"), "US");
  equal(region("urn:adsk.wipdeu:dm.lineage:a"), "DEU");
  equal(region("urn:adsk.wipmars:dm.lineage:a"), undefined);
  equal(region("lineage"), undefined);
});

Deno.test("isDeleted() tells hidden items and deletion versions", () => {
  const deleted = version({ extension: { type: "versions:autodesk.core:Deleted" } });
  const judge = (shown: unknown, ...included: unknown[]) =>
    isDeleted(joinTip(itemResource.parse(shown), included));
  equal(judge(item(), version()), false);
  equal(judge(item({ hidden: true }), version()), true);
  equal(judge(item(), deleted), true);
  equal(judge(item()), false);
});

Deno.test("a version is found by its item too where the tip is named otherwise or not at all", () => {
  const relationships = { item: { data: { type: "items", id: ID } } };
  const other = version({}, { id: "urn:other?version=2", relationships });
  equal(read(item(), other).file.file_name, "my_model.RVT");
  equal(read(item({}, { relationships: undefined }), other).file.file_name, "my_model.RVT");
});

Deno.test("whatever a page holds, each of its entries is a row, is hidden, or is reported", () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.record({
      type: fc.constantFrom("items", "folders", "future"),
      id: fc.oneof(fc.constantFrom("a", "b", ""), fc.jsonValue()),
      attributes: fc.oneof(
        fc.record({ name: fc.jsonValue(), hidden: fc.jsonValue(), displayName: fc.jsonValue() }),
        fc.jsonValue(),
      ),
      relationships: fc.jsonValue(),
      links: fc.jsonValue(),
    }),
  );
  fc.assert(fc.property(fc.array(anything), fc.array(anything), (data, included) => {
    const list = resourceList.parse({ data, included });
    const { folders, files, deletedFiles, hiddenFolders, unreadable } = readEntries(list, "folder");
    const count = [folders, files, deletedFiles, unreadable].reduce(
      (sum, of) => sum + of.length,
      0,
    );
    ok(count + hiddenFolders <= data.length);
    ok(files.every(({ item }) => !deletedFiles.includes(item.id)));
    for (const file of files) {
      const { file: row } = toFileRecord(file, "folder", CONFIG);
      ok(row.file_name !== "" && /^https?:\/\//.test(row.file_link));
    }
  }));
});
