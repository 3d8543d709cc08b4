/** Enough for files.list, files.get and changes; it shows names and dates, never content. */
export const DRIVE_SCOPE = "https://www.googleapis.com/auth/drive.metadata.readonly";
