import type { ApiMethod } from "./api_call.ts";
import { executeCommand } from "./commands_method.ts";
import { getFolder, getFolderParent, getItemParent, listContents } from "./folder_methods.ts";
import {
  getHub,
  getProject,
  getProjectHub,
  listHubs,
  listProjects,
  listTopFolders,
} from "./hub_methods.ts";
import { getItem, getItemTip, getVersion, getVersionItem, listVersions } from "./item_methods.ts";

/** A method of the API and what its path holds. */
export interface Route {
  /** The name by which calls are counted and faults are ordered. */
  readonly name: string;
  readonly httpMethod: "GET" | "POST";
  readonly method: ApiMethod;
  /** How many calls a client may make in a minute. */
  readonly callsPerMinute: 50 | 300 | 800;
}

/** A route that was found, with the ids of the path. */
export interface FoundRoute extends Route {
  readonly pathIds: readonly string[];
}

const HUB = "/project/v1/hubs/{id}";
const PROJECT = `${HUB}/projects/{id}`;
const DATA = "/data/v1/projects/{id}";

const ROUTES: readonly (Route & { readonly pattern: RegExp })[] = [
  route("hubs.list", "/project/v1/hubs", listHubs, 50),
  route("hubs.get", HUB, getHub, 50),
  route("projects.list", `${HUB}/projects`, listProjects, 50),
  route("projects.get", PROJECT, getProject, 50),
  route("projects.hub", `${PROJECT}/hub`, getProjectHub, 50),
  route("projects.topFolders", `${PROJECT}/topFolders`, listTopFolders, 300),
  route("folders.get", `${DATA}/folders/{id}`, getFolder, 300),
  route("folders.contents", `${DATA}/folders/{id}/contents`, listContents, 300),
  route("folders.parent", `${DATA}/folders/{id}/parent`, getFolderParent, 50),
  route("items.get", `${DATA}/items/{id}`, getItem, 300),
  route("items.parent", `${DATA}/items/{id}/parent`, getItemParent, 50),
  route("items.tip", `${DATA}/items/{id}/tip`, getItemTip, 50),
  route("items.versions", `${DATA}/items/{id}/versions`, listVersions, 800),
  route("versions.get", `${DATA}/versions/{id}`, getVersion, 300),
  route("versions.item", `${DATA}/versions/{id}/item`, getVersionItem, 50),
  route("commands", `${DATA}/commands`, executeCommand, 300, "POST"),
];

/** The method that a path stands for; `null` where there is none. */
export function findRoute(path: string): FoundRoute | null {
  for (const { pattern, ...rest } of ROUTES) {
    const match = pattern.exec(path);
    if (match !== null) return { ...rest, pathIds: match.slice(1).map(decode) };
  }
  return null;
}

function route(
  name: string,
  path: string,
  method: ApiMethod,
  callsPerMinute: Route["callsPerMinute"],
  httpMethod: Route["httpMethod"] = "GET",
) {
  const pattern = new RegExp(`^${path.replaceAll("{id}", "([^/]+)")}$`);
  return { name, httpMethod, method, callsPerMinute, pattern };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A lone per cent sign: no such id, and the method will say so.
    return part;
  }
}
