import type { Hub, Project } from "./aps_types.ts";
import { extension, type Rendering } from "./rendering.ts";
import { projectWebLink } from "./web_links.ts";

/** A hub as the Project service shows it. */
export function hubResource(hub: Hub, to: Rendering) {
  const self = `/project/v1/hubs/${hub.id}`;
  return {
    type: "hubs",
    id: hub.id,
    attributes: {
      name: hub.name,
      extension: extension(to, "hubs:autodesk.bim360:Account", "1.0", {}),
      region: hub.region,
    },
    links: { self: to.link(self) },
    relationships: { projects: { links: { related: to.link(`${self}/projects`) } } },
  };
}

/** A project as the Project service shows it. */
export function projectResource(project: Project, to: Rendering) {
  const hub = `/project/v1/hubs/${project.hub.id}`;
  const self = `${hub}/projects/${project.id}`;
  const root = `/data/v1/projects/${project.id}/folders/${encodeURIComponent(project.root.id)}`;
  return {
    type: "projects",
    id: project.id,
    attributes: {
      name: project.name,
      scopes: ["global"],
      extension: extension(to, "projects:autodesk.bim360:Project", "1.0", {
        projectType: project.type,
      }),
    },
    links: { self: to.link(self), webView: { href: projectWebLink(project) } },
    relationships: {
      hub: {
        data: { type: "hubs", id: project.hub.id },
        links: { related: to.link(hub) },
      },
      rootFolder: {
        data: { type: "folders", id: project.root.id },
        meta: { link: to.link(root) },
      },
      topFolders: { links: { related: to.link(`${self}/topFolders`) } },
    },
  };
}
