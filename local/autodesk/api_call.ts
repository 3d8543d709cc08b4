import { canSeeProject, isProvisioned, refusalOf, type Viewer } from "./access.ts";
import { badInput, forbidden, notFound, notProvisioned } from "./api_error.ts";
import type { ApsState } from "./aps_state.ts";
import type { Folder, Hub, Item, Project, Version } from "./aps_types.ts";
import type { Fault } from "./faults.ts";
import { Rendering } from "./rendering.ts";
import type { Settings } from "./settings.ts";
import type { TimeFormat } from "./time_formats.ts";

/** What a call is made of. */
export interface CallParts {
  readonly model: ApsState;
  readonly viewer: Viewer;
  readonly settings: Settings;
  readonly url: URL;
  readonly headers: Headers;
  /** The ids in the path, decoded. */
  readonly pathIds: readonly string[];
  /** The body's JSON; `undefined` where there is none. */
  readonly body: unknown;
  /** A fault that changes the answer's content, or `null`. */
  readonly fault: Fault | null;
}

/** What a method answers. */
export type ApiAnswer =
  | { readonly type: "json"; readonly body: unknown; readonly modifiedMs?: number }
  | { readonly type: "not_modified"; readonly modifiedMs: number };

/** A method of the API: its answer, or an `ApiError`. */
export type ApiMethod = (call: ApiCall) => ApiAnswer;

/** One authorized call of a method, and the checks that methods have in common. */
export class ApiCall {
  readonly model: ApsState;
  readonly viewer: Viewer;
  readonly settings: Settings;
  readonly url: URL;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: unknown;
  readonly fault: Fault | null;
  readonly #pathIds: readonly string[];

  constructor(parts: CallParts) {
    this.model = parts.model;
    this.viewer = parts.viewer;
    this.settings = parts.settings;
    this.url = parts.url;
    this.query = parts.url.searchParams;
    this.headers = parts.headers;
    this.body = parts.body;
    this.fault = parts.fault;
    this.#pathIds = parts.pathIds;
  }

  /** Writes the links and times of the answer. */
  rendering(times: TimeFormat): Rendering {
    return new Rendering(this.url.origin, this.settings.style, times);
  }

  /** The link to this very call. */
  self(to: Rendering): { readonly href: string } {
    return to.link(this.url.pathname + this.url.search);
  }

  /** The hub that the path begins with. */
  hub(): Hub {
    const hub = this.model.hubs.get(this.#id(0));
    if (hub === undefined) throw notFound("Hub");
    if (!isProvisioned(hub, this.viewer)) throw notProvisioned();
    return hub;
  }

  /** The project of a path that begins with a hub. */
  projectOfHub(): Project {
    return this.#visible(this.hub().projects.get(this.#id(1)));
  }

  /** The project of a path of the Data service. */
  project(): Project {
    const project = this.model.projects.get(this.#id(0));
    if (project !== undefined && !isProvisioned(project.hub, this.viewer)) throw notProvisioned();
    return this.#visible(project);
  }

  /** The folder in the path. */
  folder(): Folder {
    const project = this.project();
    const folder = this.model.folders.get(this.#urn(1));
    if (folder === undefined || folder.project !== project) throw notFound("Folder");
    this.#checkAccess(folder, "Folder");
    return folder;
  }

  /** The item in the path. */
  item(): Item {
    return this.itemOf(this.project(), this.#urn(1));
  }

  /** An item of a project. */
  itemOf(project: Project, id: string): Item {
    const item = this.model.items.get(id);
    if (item === undefined || item.parent.project !== project) throw notFound("Item");
    this.#checkAccess(item, "Item");
    return item;
  }

  /** The version in the path. */
  version(): Version {
    const project = this.project();
    const version = this.model.versions.get(this.#urn(1));
    if (version === undefined || version.item.parent.project !== project) throw notFound("Version");
    this.#checkAccess(version.item, "Version");
    return version;
  }

  #id(index: number): string {
    return this.#pathIds[index] ?? "";
  }

  #urn(index: number): string {
    const id = this.#id(index);
    if (!id.startsWith("urn:adsk.")) {
      throw badInput(`The id is not valid: current value is "${id}"`);
    }
    return id;
  }

  #visible(project: Project | undefined): Project {
    if (project === undefined || !canSeeProject(project, this.viewer)) throw notFound("Project");
    return project;
  }

  #checkAccess(entry: Folder | Item, what: "Folder" | "Item" | "Version"): void {
    const status = refusalOf(entry, this.viewer);
    if (status === 404) throw notFound(what);
    if (status === 403) throw forbidden(what.toLowerCase());
  }
}
