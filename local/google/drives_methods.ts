import type { ApiCall } from "./api_call.ts";
import { driveNotFound, notEmulated, requiredParameter } from "./api_error.ts";
import { applyMask, parseMask } from "./fields_mask.ts";
import { driveResource, userResource } from "./file_resource.ts";
import { Parameters } from "./parameters.ts";
import { ABOUT_SHAPE, DEFAULT_MASKS, DRIVE_LIST_SHAPE, DRIVE_SHAPE } from "./resource_shapes.ts";

/** `drives.list` */
export function listDrives(call: ApiCall): unknown {
  const parameters = new Parameters(call.query, [
    "pageSize",
    "pageToken",
    "q",
    "useDomainAdminAccess",
  ]);
  const pageSize = parameters.integer("pageSize", { min: 1, max: 100, standard: 10 });
  const mask = parseMask(parameters.text("fields") ?? DEFAULT_MASKS.driveList, DRIVE_LIST_SHAPE);
  if (parameters.text("q") !== undefined) throw notEmulated("searches of shared drives", "q");
  if (parameters.flag("useDomainAdminAccess")) {
    throw notEmulated("domain administrators", "useDomainAdminAccess");
  }
  const { account, drives } = call.viewer;
  const binding = `drives.list:${account.email}`;
  const token = parameters.text("pageToken");
  const start = token === undefined ? 0 : call.context.pageTokens.open(token, binding).position;
  const joined = [...drives.values()].filter((drive) => drive.members.has(account.email));
  const end = start + pageSize;
  return applyMask({
    kind: "drive#driveList",
    drives: joined.slice(start, end).map(driveResource),
    ...(end < joined.length
      ? { nextPageToken: call.context.pageTokens.issue(binding, { position: end }) }
      : {}),
  }, mask);
}

/** `drives.get` */
export function getDrive(call: ApiCall): unknown {
  const parameters = new Parameters(call.query, ["useDomainAdminAccess"]);
  const mask = parseMask(parameters.text("fields") ?? DEFAULT_MASKS.drive, DRIVE_SHAPE);
  const drive = call.viewer.drives.get(call.pathId);
  if (!drive?.members.has(call.viewer.account.email)) throw driveNotFound(call.pathId);
  return applyMask(driveResource(drive), mask);
}

/** `about.get`; it has no standard fields, so the caller must name some. */
export function getAbout(call: ApiCall): unknown {
  const parameters = new Parameters(call.query, []);
  const fields = parameters.text("fields");
  if (fields === undefined) throw requiredParameter("fields");
  return applyMask({
    kind: "drive#about",
    user: userResource(call.viewer.account.email, call.viewer),
    storageQuota: { usage: "0", usageInDrive: "0", usageInDriveTrash: "0" },
    canCreateDrives: false,
  }, parseMask(fields, ABOUT_SHAPE));
}
