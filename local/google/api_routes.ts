import type { ApiMethod } from "./api_call.ts";
import { getStartPageToken, listChanges } from "./changes_methods.ts";
import { getAbout, getDrive, listDrives } from "./drives_methods.ts";
import { getFile, listFiles } from "./files_methods.ts";

/** A method of the API and the id its path holds. */
export interface Route {
  /** Google's name of the method, such as `files.list`. */
  readonly name: string;
  readonly method: ApiMethod;
  readonly pathId: string;
}

const ROUTES: readonly {
  readonly name: string;
  readonly path: RegExp;
  readonly method: ApiMethod;
}[] = [
  { name: "files.list", path: /^\/drive\/v3\/files$/, method: listFiles },
  { name: "files.get", path: /^\/drive\/v3\/files\/([^/]+)$/, method: getFile },
  {
    name: "changes.getStartPageToken",
    path: /^\/drive\/v3\/changes\/startPageToken$/,
    method: getStartPageToken,
  },
  { name: "changes.list", path: /^\/drive\/v3\/changes$/, method: listChanges },
  { name: "drives.list", path: /^\/drive\/v3\/drives$/, method: listDrives },
  { name: "drives.get", path: /^\/drive\/v3\/drives\/([^/]+)$/, method: getDrive },
  { name: "about.get", path: /^\/drive\/v3\/about$/, method: getAbout },
];

/** The method that a path stands for; `null` where there is none. */
export function findRoute(path: string): Route | null {
  for (const { name, path: pattern, method } of ROUTES) {
    const match = pattern.exec(path);
    if (match !== null) return { name, method, pathId: decodeURIComponent(match[1] ?? "") };
  }
  return null;
}
