import type { ApsModel } from "./aps_model.ts";
import type { ProjectType, Region } from "./aps_types.ts";

/** Where content is to be put. */
export interface Arrangement {
  readonly hubId: string;
  /** With the `b.` in front. */
  readonly projectId: string;
  /** Project Files: the folder that takes the content. */
  readonly folderId: string;
  /** The root of the project. */
  readonly rootFolderId: string;
}

/** What a new project is like. */
export interface ArrangementOptions {
  /** The app that an administrator lets in. */
  readonly clientId: string;
  readonly hubName?: string;
  readonly projectName?: string;
  readonly region?: Region;
  readonly type?: ProjectType;
  /** Adds the folders that other products keep beside Project Files. */
  readonly hasSystemFolders?: boolean;
  /** A user to make administrator of the project. */
  readonly adminId?: string;
  readonly createdTime?: string;
}

/** Makes an account with one project, into which an app is let. */
export function arrangeProject(model: ApsModel, options: ArrangementOptions): Arrangement {
  const { createdTime } = options;
  const hub = model.addHub({
    name: options.hubName ?? "Construction Company",
    region: options.region,
    clients: [options.clientId],
  });
  const project = model.addProject({
    name: options.projectName ?? "Building",
    hub: hub.id,
    type: options.type,
    createdTime,
  });
  const common = { parent: project.root.id, by: null, createdTime };
  const files = model.createFolder({ name: "Project Files", ...common });
  if (options.hasSystemFolders === true) {
    for (const kind of ["checklist", "submittals-attachments", "Photos", "dailylog"]) {
      const name = kind === "Photos" ? kind : `${kind}_${model.ids.guid(kind + project.id)}`;
      model.createFolder({ name, ...common, isSystem: true });
    }
  }
  if (options.adminId !== undefined) model.setMember(project.id, options.adminId, "admin");
  return {
    hubId: hub.id,
    projectId: project.id,
    folderId: files.id,
    rootFolderId: project.root.id,
  };
}
