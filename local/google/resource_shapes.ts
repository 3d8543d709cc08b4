import type { Shape } from "./fields_mask.ts";

function plain(names: string): Shape {
  return Object.fromEntries(names.trim().split(/\s+/).map((name) => [name, null]));
}

const USER = plain("kind displayName photoLink me permissionId emailAddress");
const PERMISSION = plain(
  "kind id type emailAddress domain role view allowFileDiscovery displayName photoLink deleted " +
    "expirationTime pendingOwner inheritedPermissionsDisabled permissionDetails teamDrivePermissionDetails",
);

/** Fields of a file. */
export const FILE_SHAPE: Shape = {
  ...plain(`
    kind id name mimeType description starred trashed explicitlyTrashed trashedTime parents
    properties appProperties spaces version webContentLink webViewLink iconLink hasThumbnail
    thumbnailLink thumbnailVersion viewedByMe viewedByMeTime createdTime modifiedTime
    modifiedByMeTime modifiedByMe sharedWithMeTime teamDriveId driveId hasAugmentedPermissions
    shared ownedByMe isAppAuthorized viewersCanCopyContent copyRequiresWriterPermission
    writersCanShare permissionIds folderColorRgb originalFilename fullFileExtension fileExtension
    md5Checksum sha1Checksum sha256Checksum size quotaBytesUsed headRevisionId exportLinks
    resourceKey inheritedPermissionsDisabled clientEncryptionDetails downloadRestrictions`),
  owners: USER,
  trashingUser: USER,
  sharingUser: USER,
  lastModifyingUser: USER,
  permissions: PERMISSION,
  capabilities: plain(
    "canListChildren canDownload canEdit canReadDrive canTrash canDelete canShare",
  ),
  shortcutDetails: plain("targetId targetMimeType targetResourceKey"),
  contentHints: { indexableText: null, thumbnail: plain("image mimeType") },
  contentRestrictions: plain(
    "readOnly reason type restrictionTime ownerRestricted systemRestricted restrictingUser",
  ),
  imageMediaMetadata: plain("width height rotation time cameraMake cameraModel location"),
  videoMediaMetadata: plain("width height durationMillis"),
  linkShareMetadata: plain("securityUpdateEligible securityUpdateEnabled"),
  labelInfo: plain("labels"),
};

/** Fields of a shared drive. */
export const DRIVE_SHAPE: Shape = plain(`
  kind id name createdTime hidden colorRgb themeId backgroundImageLink backgroundImageFile
  capabilities restrictions orgUnitId`);

/** Fields of an answer of `files.list`. */
export const FILE_LIST_SHAPE: Shape = {
  ...plain("kind nextPageToken incompleteSearch"),
  files: FILE_SHAPE,
};

/** Fields of an answer of `changes.list`. */
export const CHANGE_LIST_SHAPE: Shape = {
  ...plain("kind nextPageToken newStartPageToken"),
  changes: {
    ...plain("kind changeType type time removed fileId driveId teamDriveId"),
    file: FILE_SHAPE,
    drive: DRIVE_SHAPE,
    teamDrive: DRIVE_SHAPE,
  },
};

/** Fields of an answer of `drives.list`. */
export const DRIVE_LIST_SHAPE: Shape = { ...plain("kind nextPageToken"), drives: DRIVE_SHAPE };

/** Fields of an answer of `changes.getStartPageToken`. */
export const START_TOKEN_SHAPE: Shape = plain("kind startPageToken");

/** Fields of an answer of `about.get`. */
export const ABOUT_SHAPE: Shape = {
  ...plain(`
    kind appInstalled canCreateDrives canCreateTeamDrives driveThemes teamDriveThemes exportFormats
    importFormats folderColorPalette maxImportSizes maxUploadSize`),
  user: USER,
  storageQuota: plain("limit usage usageInDrive usageInDriveTrash"),
};

/** What is given of each resource where the caller names no fields. */
export const DEFAULT_MASKS = {
  fileList: "kind,nextPageToken,incompleteSearch,files(kind,id,name,mimeType,driveId,teamDriveId)",
  file: "kind,id,name,mimeType,driveId,teamDriveId",
  changeList: "kind,nextPageToken,newStartPageToken,changes(kind,changeType,type,time,removed," +
    "fileId,driveId,teamDriveId,file(kind,id,name,mimeType,driveId,teamDriveId)," +
    "drive(kind,id,name),teamDrive(kind,id,name))",
  driveList: "kind,nextPageToken,drives(kind,id,name)",
  drive: "kind,id,name",
  startToken: "*",
} as const;
