import { ApsIds, folderId } from "./aps_ids.ts";
import type { Author, Folder, Hub, Item, Project, User, Version } from "./aps_types.ts";
import type { ApsModelOptions, NewHub, NewProject, NewUser } from "./model_requests.ts";
import {
  DEFAULT_ROLLUP_RULES,
  ROLLUP_EVENTS,
  type RollupRules,
  type RollupRulesGiven,
} from "./rollup.ts";

/** The system itself: its id and name are empty wherever they are shown. */
export const SYSTEM: Author = { id: "", name: "" };

const SOMEBODY: Author = { id: "BW9RM76WZBGL", name: "John Doe" };

/** The state of an emulated account: users, hubs, projects, and an index of everything in them. */
export class ApsState {
  readonly ids: ApsIds;
  readonly now: () => number;
  protected rollupRules: RollupRules = DEFAULT_ROLLUP_RULES;
  protected readonly usersById = new Map<string, User>();
  protected readonly hubsById = new Map<string, Hub>();
  protected readonly projectsById = new Map<string, Project>();
  protected readonly foldersById = new Map<string, Folder>();
  protected readonly itemsById = new Map<string, Item>();
  protected readonly versionsById = new Map<string, Version>();
  #serial = 0;

  constructor(options: ApsModelOptions = {}) {
    this.ids = new ApsIds(options.seed ?? 1);
    this.now = options.now ?? Date.now;
    this.setRollupRules(options.rollupRules ?? {});
  }

  /** All users, by id. */
  get users(): ReadonlyMap<string, User> {
    return this.usersById;
  }

  /** All hubs, by id. */
  get hubs(): ReadonlyMap<string, Hub> {
    return this.hubsById;
  }

  /** All projects, by id. */
  get projects(): ReadonlyMap<string, Project> {
    return this.projectsById;
  }

  /** All folders, the roots of projects included, by id. */
  get folders(): ReadonlyMap<string, Folder> {
    return this.foldersById;
  }

  /** All items, by id. */
  get items(): ReadonlyMap<string, Item> {
    return this.itemsById;
  }

  /** All versions, by id. */
  get versions(): ReadonlyMap<string, Version> {
    return this.versionsById;
  }

  /** The hub of this id; throws where there is none. */
  hub(id: string): Hub {
    return found(this.hubsById, id, "hub");
  }

  /** The project of this id; throws where there is none. */
  project(id: string): Project {
    return found(this.projectsById, id, "project");
  }

  /** The folder of this id; throws where there is none. */
  folder(id: string): Folder {
    return found(this.foldersById, id, "folder");
  }

  /** The item of this id; throws where there is none. */
  item(id: string): Item {
    return found(this.itemsById, id, "item");
  }

  /** The folder or item of this id; throws where there is none. */
  entry(id: string): Folder | Item {
    return this.itemsById.get(id) ?? this.folder(id);
  }

  /** Adds a user. */
  addUser(options: NewUser): User {
    const id = options.id ?? this.ids.user(`user:${options.email}`);
    const user: User = { id, email: options.email, name: options.name ?? options.email };
    this.usersById.set(id, user);
    return user;
  }

  /** Adds a hub. */
  addHub(options: NewHub): Hub {
    const id = options.id ?? `b.${this.ids.guid(`hub:${options.name}:${this.nextSerial()}`)}`;
    const hub: Hub = {
      id,
      name: options.name,
      region: options.region ?? "US",
      provisionedClients: new Set(options.clients),
      projects: new Map(),
    };
    this.hubsById.set(id, hub);
    return hub;
  }

  /** Adds a project with its root folder, which holds nothing yet. */
  addProject(options: NewProject): Project {
    const hub = this.hub(options.hub);
    const id = options.id ?? `b.${this.ids.guid(`project:${options.name}:${this.nextSerial()}`)}`;
    const guid = id.replace(/^b\./, "");
    const createdMs = timeOf(options.createdTime) ?? this.now();
    const root: Folder = {
      kind: "folder",
      id: folderId(hub.region, this.ids.token(`root:${id}`)),
      get project() {
        return project;
      },
      name: `${guid}-root-folder`,
      parent: null,
      ...newFolderState(createdMs, createdMs, SYSTEM),
      isSystem: false,
    };
    const project: Project = {
      id,
      name: options.name,
      hub,
      type: options.type ?? "ACC",
      isActive: true,
      root,
      members: new Map(),
    };
    hub.projects.set(id, project);
    this.projectsById.set(id, project);
    this.foldersById.set(root.id, root);
    return project;
  }

  /** Adds a client id to a hub, or takes it away, as an administrator does. */
  setProvisioned(hubId: string, clientId: string, isProvisioned: boolean): void {
    const { provisionedClients } = this.hub(hubId);
    if (isProvisioned) provisionedClients.add(clientId);
    else provisionedClients.delete(clientId);
  }

  /** Makes a user a member of a project, in a role; `null` ends it. */
  setMember(projectId: string, userId: string, role: "admin" | "member" | null): void {
    found(this.usersById, userId, "user");
    const { members } = this.project(projectId);
    if (role === null) members.delete(userId);
    else members.set(userId, role);
  }

  /** Chooses which events move the rollups from now on. */
  setRollupRules(rules: RollupRulesGiven): void {
    for (const name of ROLLUP_EVENTS) {
      const isOn = rules[name];
      if (isOn !== undefined) this.rollupRules = { ...this.rollupRules, [name]: isOn };
    }
  }

  /** Who is meant by a user id. */
  protected author(userId: string | null | undefined): Author {
    if (userId === null) return SYSTEM;
    if (userId !== undefined) return found(this.usersById, userId, "user");
    return this.usersById.values().next().value ?? SOMEBODY;
  }

  /** A number that has not been used. */
  protected nextSerial(): number {
    return ++this.#serial;
  }
}

/** What every new folder begins with. */
export function newFolderState(createdMs: number, modifiedMs: number, by: Author) {
  return {
    children: new Set<Folder | Item>(),
    rollupMs: modifiedMs,
    isHidden: false,
    denied: new Map<string, 403 | 404>(),
    granted: new Set<string>(),
    emptySlots: [],
    createdMs,
    createdBy: by,
    modifiedMs,
    modifiedBy: by,
  };
}

/** Milliseconds of a text, `undefined` where there is none; throws where it is no time. */
export function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new RangeError(`Cannot read time: current value is "${text}"`);
  return ms;
}

function found<Thing>(things: ReadonlyMap<string, Thing>, id: string, what: string): Thing {
  const thing = things.get(id);
  if (thing === undefined) throw new RangeError(`Cannot find ${what}: current value is "${id}"`);
  return thing;
}
