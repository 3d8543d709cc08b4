import { z } from "zod";
import type { DriveModel } from "./drive_model.ts";

const Size = z.union([z.string().regex(/^\d+$/), z.int().nonnegative(), z.null()]).optional();
const Time = z.iso.datetime({ offset: true }).optional();
const Entry = {
  name: z.string(),
  parent: z.string(),
  id: z.string().optional(),
  owner: z.string().optional(),
  createdTime: Time,
  modifiedTime: Time,
  isQuiet: z.boolean().optional(),
};
const id = z.string();
const email = z.string();

/** An operation on the model, as JSON. */
export const ModelOperation = z.discriminatedUnion("operation", [
  z.strictObject({
    operation: z.literal("add_account"),
    email,
    displayName: z.string().optional(),
    isServiceAccount: z.boolean().optional(),
  }),
  z.strictObject({
    operation: z.literal("create_drive"),
    name: z.string(),
    members: z.array(email).optional(),
  }),
  z.strictObject({ operation: z.literal("rename_drive"), id, name: z.string() }),
  z.strictObject({ operation: z.literal("delete_drive"), id }),
  z.strictObject({ operation: z.literal("add_member"), id, email }),
  z.strictObject({ operation: z.literal("remove_member"), id, email }),
  z.strictObject({ operation: z.literal("create_folder"), ...Entry }),
  z.strictObject({
    operation: z.literal("create_file"),
    ...Entry,
    mimeType: z.string().optional(),
    size: Size,
  }),
  z.strictObject({ operation: z.literal("create_shortcut"), ...Entry, target: id }),
  z.strictObject({ operation: z.literal("rename"), id, name: z.string() }),
  z.strictObject({
    operation: z.literal("edit"),
    id,
    size: Size,
    modifiedTime: Time,
    by: email.optional(),
  }),
  z.strictObject({ operation: z.literal("move"), id, parent: id }),
  z.strictObject({ operation: z.literal("add_parent"), id, parent: id }),
  z.strictObject({ operation: z.literal("remove_parent"), id, parent: id }),
  z.strictObject({ operation: z.literal("trash"), id }),
  z.strictObject({ operation: z.literal("untrash"), id }),
  z.strictObject({ operation: z.literal("delete"), id }),
  z.strictObject({ operation: z.literal("share"), id, email }),
  z.strictObject({ operation: z.literal("unshare"), id, email }),
  z.strictObject({ operation: z.literal("view"), id, email }),
]);

/** An operation on the model, as JSON. */
export type ModelOperation = z.infer<typeof ModelOperation>;

/** Does one operation; answers the id of what it made, or of what it changed. */
export function applyOperation(model: DriveModel, each: ModelOperation): { readonly id: string } {
  switch (each.operation) {
    case "add_account": {
      const { operation: _, displayName, isServiceAccount, ...rest } = each;
      const account = model.addAccount({
        ...rest,
        ...(displayName === undefined ? {} : { displayName }),
        ...(isServiceAccount === undefined ? {} : { isServiceAccount }),
      });
      return { id: account.root.id };
    }
    case "create_drive":
      return { id: model.createDrive({ name: each.name, members: each.members ?? [] }).id };
    case "create_folder":
      return { id: model.createFolder(each).id };
    case "create_file":
      return { id: model.createFile(each).id };
    case "create_shortcut":
      return { id: model.createShortcut(each).id };
    default:
      changeItem(model, each);
      return { id: each.id };
  }
}

type Creation =
  | "add_account"
  | "create_drive"
  | "create_folder"
  | "create_file"
  | "create_shortcut";

function changeItem(
  model: DriveModel,
  each: Exclude<ModelOperation, { operation: Creation }>,
): void {
  switch (each.operation) {
    case "rename_drive":
      return model.renameDrive(each.id, each.name);
    case "delete_drive":
      return model.deleteDrive(each.id);
    case "add_member":
      return model.addMember(each.id, each.email);
    case "remove_member":
      return model.removeMember(each.id, each.email);
    case "rename":
      return model.rename(each.id, each.name);
    case "edit":
      return model.edit(each.id, each);
    case "move":
      return model.move(each.id, each.parent);
    case "add_parent":
      return model.addParent(each.id, each.parent);
    case "remove_parent":
      return model.removeParent(each.id, each.parent);
    case "trash":
      return model.trash(each.id);
    case "untrash":
      return model.untrash(each.id);
    case "delete":
      return model.delete(each.id);
    case "share":
      return model.share(each.id, each.email);
    case "unshare":
      return model.unshare(each.id, each.email);
    case "view":
      return model.view(each.id, each.email);
  }
}
