import { canSeeProject, isProvisioned, topFoldersOf, type Viewer } from "./access.ts";
import type { ApiAnswer, ApiCall } from "./api_call.ts";
import type { Hub, Region } from "./aps_types.ts";
import { parseFilters } from "./filters.ts";
import { topFolderResource } from "./folder_resource.ts";
import { hubResource, projectResource } from "./hub_resources.ts";
import { cutPage, pageLinks } from "./pages.ts";
import { flag, pageOf } from "./parameters.ts";
import { JSON_API } from "./rendering.ts";

/** `GET /project/v1/hubs`: the hubs of every region that answers, and a warning for each other. */
export function listHubs(call: ApiCall): ApiAnswer {
  const to = call.rendering("seven_digits");
  const passes = parseFilters(call.query);
  const hubs = [...call.model.hubs.values()];
  const data = hubs.filter((hub) => isListed(hub, call)).map((hub) => hubResource(hub, to))
    .filter((each) => passes(each));
  const warnings = warningsOf(hubs, call);
  return json({
    jsonapi: JSON_API,
    links: { self: call.self(to) },
    data,
    ...(warnings.length === 0 ? {} : { meta: { warnings } }),
  });
}

/** `GET /project/v1/hubs/{hub}` */
export function getHub(call: ApiCall): ApiAnswer {
  const to = call.rendering("seven_digits");
  const data = hubResource(call.hub(), to);
  return json({ jsonapi: JSON_API, links: { self: call.self(to) }, data });
}

/** `GET /project/v1/hubs/{hub}/projects`: the active projects. */
export function listProjects(call: ApiCall): ApiAnswer {
  const to = call.rendering("seven_digits");
  const page = pageOf(call.query);
  const passes = parseFilters(call.query);
  const projects = [...call.hub().projects.values()]
    .filter((project) => canSeeProject(project, call.viewer));
  const { entries, isLast } = cutPage(projects, page);
  return json({
    jsonapi: JSON_API,
    links: pageLinks(call, to, page, isLast),
    data: entries.map((project) => projectResource(project, to)).filter((each) => passes(each)),
  });
}

/** `GET /project/v1/hubs/{hub}/projects/{project}` */
export function getProject(call: ApiCall): ApiAnswer {
  const to = call.rendering("seven_digits");
  const data = projectResource(call.projectOfHub(), to);
  return json({ jsonapi: JSON_API, links: { self: call.self(to) }, data });
}

/** `GET /project/v1/hubs/{hub}/projects/{project}/hub` */
export function getProjectHub(call: ApiCall): ApiAnswer {
  const to = call.rendering("seven_digits");
  const data = hubResource(call.projectOfHub().hub, to);
  return json({ jsonapi: JSON_API, links: { self: call.self(to) }, data });
}

/** `GET …/topFolders`: the highest folders the caller may read, hidden ones too; not paged. */
export function listTopFolders(call: ApiCall): ApiAnswer {
  const to = call.rendering("seven_digits");
  const hasEffect = call.settings.topFolderFilters === "always" || call.viewer.user !== null;
  const excludesDeleted = flag(call.query, "excludeDeleted") && hasEffect;
  const isProjectFilesOnly = flag(call.query, "projectFilesOnly") && hasEffect;
  const folders = topFoldersOf(call.projectOfHub(), call.viewer)
    .filter(({ isHidden }) => !(isHidden && excludesDeleted))
    .filter(({ isSystem }) => !(isSystem && isProjectFilesOnly));
  return json({
    jsonapi: JSON_API,
    links: { self: call.self(to) },
    data: folders.map((folder) => topFolderResource(folder, to, call.viewer)),
  });
}

function isListed(hub: Hub, call: ApiCall): boolean {
  return isProvisioned(hub, call.viewer) && !call.settings.outages.has(hub.region) &&
    isMember(hub, call.viewer);
}

function isMember(hub: Hub, viewer: Viewer): boolean {
  return viewer.user === null ||
    [...hub.projects.values()].some((project) => canSeeProject(project, viewer));
}

// One for each region in which nothing could be listed: the list itself stays a success.
function warningsOf(hubs: readonly Hub[], call: ApiCall) {
  const warnings = [];
  for (const region of new Set(hubs.map((hub) => hub.region))) {
    const status = warningStatus(hubs.filter((hub) => hub.region === region), region, call);
    if (status !== null) warnings.push(warning(region, status));
  }
  return warnings;
}

function warningStatus(hubs: readonly Hub[], region: Region, call: ApiCall): number | null {
  const outage = call.settings.outages.get(region);
  if (outage !== undefined) return outage;
  const provisioned = hubs.filter((hub) => isProvisioned(hub, call.viewer));
  if (provisioned.length === 0) return 403;
  return provisioned.some((hub) => isMember(hub, call.viewer)) ? null : 401;
}

function warning(region: Region, status: number) {
  return {
    Id: null,
    HttpStatusCode: String(status),
    ErrorCode: "BIM360DM_ERROR",
    Title: `Unable to get hubs from BIM360DM ${region}.`,
    Detail: status === 403
      ? "You don't have permission to access this API"
      : status === 401
      ? "The user is not a member of an account"
      : "The service is not available",
    AboutLink: null,
    Source: null,
    meta: null,
  };
}

function json(body: unknown): ApiAnswer {
  return { type: "json", body };
}
