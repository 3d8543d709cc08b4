import { ApiError } from "./api_error.ts";

const PREFIX = "https://www.googleapis.com/auth/";

/** The names of Drive's scopes, without their common beginning. */
const DRIVE_SCOPES = [
  "drive",
  "drive.appdata",
  "drive.apps.readonly",
  "drive.file",
  "drive.meet.readonly",
  "drive.metadata",
  "drive.metadata.readonly",
  "drive.photos.readonly",
  "drive.readonly",
  "drive.scripts",
] as const;
const IDENTITY_SCOPES = ["openid", `${PREFIX}userinfo.email`, `${PREFIX}userinfo.profile`];

const KNOWN = new Set([...DRIVE_SCOPES.map((name) => PREFIX + name), ...IDENTITY_SCOPES]);

const METADATA_SCOPES = [
  "drive",
  "drive.appdata",
  "drive.file",
  "drive.meet.readonly",
  "drive.metadata",
  "drive.metadata.readonly",
  "drive.photos.readonly",
  "drive.readonly",
];
const DRIVES_SCOPES = ["drive", "drive.readonly"];
// Tokens of these scopes alone see only what the app itself made: here, nothing.
const NARROW_SCOPES = [
  "drive.appdata",
  "drive.file",
  "drive.photos.readonly",
  "drive.meet.readonly",
];

// Short names of scopes; Google answers with the long ones.
const ALIASES: Readonly<Record<string, string>> = {
  email: `${PREFIX}userinfo.email`,
  profile: `${PREFIX}userinfo.profile`,
};
const TITLES: Readonly<Record<string, string>> = {
  "drive": "See, edit, create, and delete all of your Google Drive files",
  "drive.metadata": "View and manage metadata of files in your Google Drive",
  "drive.metadata.readonly": "See information about your Google Drive files",
  "drive.readonly": "See and download all your Google Drive files",
};

/** The scope as Google itself writes it. */
export function normalScope(scope: string): string {
  return ALIASES[scope] ?? scope;
}

/** Whether the scope tells who somebody is: it goes with signing in and cannot be refused alone. */
export function isSignInScope(scope: string): boolean {
  return IDENTITY_SCOPES.includes(scope);
}

/** What a person reads of the scope on the consent page. */
export function scopeTitle(scope: string): string {
  return TITLES[scope.replace(PREFIX, "")] ?? scope;
}

/** Whether Google knows the scope. */
export function isKnownScope(scope: string): boolean {
  return KNOWN.has(scope);
}

/** Refuses with 403 where no scope of the token allows the method. */
export function requireScope(scopes: readonly string[], method: string): void {
  const allowed = method.startsWith("drives.") ? DRIVES_SCOPES : METADATA_SCOPES;
  if (allowed.some((name) => scopes.includes(PREFIX + name))) return;
  throw new ApiError({
    status: 403,
    reason: "insufficientPermissions",
    message: "Insufficient Permission: Request had insufficient authentication scopes.",
  });
}

/** Whether the token sees files at all, not only those its own app made. */
export function seesAllFiles(scopes: readonly string[]): boolean {
  return METADATA_SCOPES.some((name) =>
    !NARROW_SCOPES.includes(name) && scopes.includes(PREFIX + name)
  );
}
