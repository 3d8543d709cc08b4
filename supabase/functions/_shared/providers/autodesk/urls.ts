/** Addresses of the Data Management API, below the configured base. */
import type { AutodeskConfig } from "./config.ts";

const PROJECTS = "/project/v1/hubs";

/** The hubs that the application can see. */
export function hubsUrl(apiUrl: string): URL {
  return new URL(`${apiUrl}${PROJECTS}`);
}

/** The project, looked for in a hub. */
export function projectUrl(apiUrl: string, hubId: string, { projectId }: AutodeskConfig): URL {
  const hub = encodeURIComponent(hubId);
  return new URL(`${apiUrl}${PROJECTS}/${hub}/projects/${encodeURIComponent(projectId)}`);
}

/**
 * The highest folders of the project that can be seen. Deleted ones come unless they are declined,
 * and so do the attachments of forms, issues and submittals, which are no project files.
 */
export function topFoldersUrl(apiUrl: string, hubId: string, config: AutodeskConfig): URL {
  const url = new URL(`${projectUrl(apiUrl, hubId, config)}/topFolders`);
  url.searchParams.set("excludeDeleted", "true");
  url.searchParams.set("projectFilesOnly", "true");
  return url;
}

function dataUrl(apiUrl: string, { projectId }: AutodeskConfig, path: string): URL {
  return new URL(`${apiUrl}/data/v1/projects/${encodeURIComponent(projectId)}/${path}`);
}

/** One folder. */
export function folderUrl(apiUrl: string, folderId: string, config: AutodeskConfig): URL {
  return dataUrl(apiUrl, config, `folders/${encodeURIComponent(folderId)}`);
}

/** One item, with its tip version. */
export function itemUrl(apiUrl: string, itemId: string, config: AutodeskConfig): URL {
  return dataUrl(apiUrl, config, `items/${encodeURIComponent(itemId)}`);
}

/**
 * The first page of what lies in a folder. What was deleted comes too, marked: seeing that something
 * was deleted is worth more than not seeing it.
 */
export function contentsUrl(
  apiUrl: string,
  folderId: string,
  config: AutodeskConfig,
  pageSize: number,
): URL {
  const url = dataUrl(apiUrl, config, `folders/${encodeURIComponent(folderId)}/contents`);
  url.searchParams.set("includeHidden", "true");
  url.searchParams.set("page[limit]", String(pageSize));
  return url;
}
