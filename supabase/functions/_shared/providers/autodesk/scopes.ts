/** Enough for every GET of the Data Management API; it opens nothing for writing. */
export const READ_SCOPE = "data:read";
