import { z } from "zod";
import type { ApsModel } from "./aps_model.ts";
import { FILE_KINDS, PROJECT_TYPES, REGIONS } from "./aps_types.ts";

const id = z.string();
const time = z.iso.datetime({ offset: true }).optional();
const size = z.int().nonnegative().nullable().optional();
const mimeType = z.string().nullable().optional();
const by = z.string().nullable().optional();
const Entry = {
  name: z.string(),
  parent: id,
  id: id.optional(),
  by,
  createdTime: time,
  modifiedTime: time,
  isLegacyName: z.boolean().optional(),
};
const RollupRules = z.strictObject({
  delete: z.boolean().optional(),
  moveOut: z.boolean().optional(),
  folderHide: z.boolean().optional(),
  folderRename: z.boolean().optional(),
  permission: z.boolean().optional(),
});

const Creation = [
  z.strictObject({
    operation: z.literal("add_user"),
    email: z.string(),
    name: z.string().optional(),
    id: id.optional(),
  }),
  z.strictObject({
    operation: z.literal("add_hub"),
    name: z.string(),
    id: id.optional(),
    region: z.enum(REGIONS).optional(),
    clients: z.array(id).optional(),
  }),
  z.strictObject({
    operation: z.literal("add_project"),
    name: z.string(),
    hub: id,
    id: id.optional(),
    type: z.enum(PROJECT_TYPES).optional(),
  }),
  z.strictObject({
    operation: z.literal("create_folder"),
    ...Entry,
    isSystem: z.boolean().optional(),
  }),
  z.strictObject({
    operation: z.literal("create_item"),
    ...Entry,
    fileKind: z.enum(FILE_KINDS).optional(),
    size,
    mimeType,
    displayName: z.string().optional(),
    hasNoVersion: z.boolean().optional(),
  }),
  z.strictObject({
    operation: z.literal("add_version"),
    id,
    name: z.string().optional(),
    size,
    mimeType,
    by,
    modifiedTime: time,
  }),
] as const;

const Change = [
  z.strictObject({
    operation: z.literal("rename"),
    id,
    name: z.string(),
    isLegacyName: z.boolean().optional(),
    changesDisplayName: z.boolean().optional(),
  }),
  z.strictObject({ operation: z.literal("move"), id, parent: id }),
  z.strictObject({ operation: z.literal("delete"), id }),
  z.strictObject({ operation: z.literal("restore"), id }),
  z.strictObject({ operation: z.literal("hide"), id }),
  z.strictObject({ operation: z.literal("purge"), id }),
  z.strictObject({ operation: z.literal("finish_processing"), id }),
  z.strictObject({
    operation: z.literal("deny_access"),
    id,
    principal: z.string(),
    status: z.union([z.literal(403), z.literal(404)]).optional(),
  }),
  z.strictObject({ operation: z.literal("allow_access"), id, principal: z.string() }),
  z.strictObject({
    operation: z.literal("grant"),
    id,
    user: id,
    isGranted: z.boolean().optional(),
  }),
  z.strictObject({
    operation: z.literal("set_provisioned"),
    id,
    client: z.string(),
    isProvisioned: z.boolean(),
  }),
  z.strictObject({
    operation: z.literal("set_member"),
    id,
    user: id,
    role: z.enum(["admin", "member"]).nullable(),
  }),
  z.strictObject({ operation: z.literal("set_rollup_rules"), rules: RollupRules }),
] as const;

const ChangeOperation = z.discriminatedUnion("operation", Change);

/** An operation on the model, as JSON. */
export const ModelOperation = z.discriminatedUnion("operation", [...Creation, ...Change]);

/** An operation on the model, as JSON. */
export type ModelOperation = z.infer<typeof ModelOperation>;

/** Does one operation; answers the id of what it made, or of what it changed. */
export function applyOperation(model: ApsModel, each: ModelOperation): { readonly id: string } {
  switch (each.operation) {
    case "add_user":
      return { id: model.addUser(each).id };
    case "add_hub":
      return { id: model.addHub(each).id };
    case "add_project":
      return { id: model.addProject(each).id };
    case "create_folder":
      return { id: model.createFolder(each).id };
    case "create_item":
      return { id: model.createItem(each).id };
    case "add_version":
      return { id: model.addVersion(each.id, each).id };
    default:
      change(model, each);
      return { id: "id" in each ? each.id : "" };
  }
}

function change(model: ApsModel, each: z.infer<typeof ChangeOperation>): void {
  switch (each.operation) {
    case "rename":
      return model.rename(each.id, each.name, each);
    case "move":
      return model.move(each.id, each.parent);
    case "delete":
      return model.delete(each.id);
    case "restore":
      return model.restore(each.id);
    case "hide":
      return model.hide(each.id);
    case "purge":
      return model.purge(each.id);
    case "finish_processing":
      return model.finishProcessing(each.id);
    case "deny_access":
      return model.denyAccess(each.id, each.principal, each.status);
    case "allow_access":
      return model.allowAccess(each.id, each.principal);
    case "grant":
      return model.grant(each.id, each.user, each.isGranted);
    case "set_provisioned":
      return model.setProvisioned(each.id, each.client, each.isProvisioned);
    case "set_member":
      return model.setMember(each.id, each.user, each.role);
    case "set_rollup_rules":
      return model.setRollupRules(each.rules);
  }
}
