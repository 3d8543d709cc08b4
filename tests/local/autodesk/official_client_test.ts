import assert from "node:assert/strict";
import {
  AdskEnvironment,
  ApsConfiguration,
  Logger,
  LogLevel,
  SdkManagerBuilder,
} from "@aps_sdk/autodesk-sdkmanager";
import { DataManagementClient } from "@aps_sdk/data-management";
import { z } from "zod";
import { ApsModel } from "../../../local/autodesk/aps_model.ts";
import { arrangeProject } from "../../../local/autodesk/arrangement.ts";
import { generateTree } from "../../../local/autodesk/generated_tree.ts";
import { startApsEmulator } from "../../../local/autodesk/server.ts";
import { CLIENT, SECRET } from "./support.ts";

const TokenBody = z.object({ access_token: z.string() });

async function startClient() {
  const model = new ApsModel();
  const place = arrangeProject(model, { clientId: CLIENT });
  const server = await startApsEmulator({
    model,
    apps: [{ clientId: CLIENT, clientSecret: SECRET }],
  });
  const configuration = new ApsConfiguration({ environment: AdskEnvironment.Prd });
  configuration.baseAddress = new URL(server.origin);
  const client = new DataManagementClient({
    sdkManager: SdkManagerBuilder.create().addApsConfiguration(configuration)
      .addLogger(new Logger(LogLevel.ERROR, false)).build(),
    authenticationProvider: { getAccessToken: () => tokenFrom(server.origin) },
  });
  return { server, model, place, client };
}

async function tokenFrom(origin: string): Promise<string> {
  const response = await fetch(`${origin}/authentication/v2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${CLIENT}:${SECRET}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "data:read" }),
  });
  return TokenBody.parse(await response.json()).access_token;
}

Deno.test("Autodesk's own client finds its way from the hubs to the tip of an item", async () => {
  const { server, model, place, client } = await startClient();
  try {
    const item = model.createItem({ parent: place.folderId, name: "plan.pdf", size: 321 });
    model.addVersion(item.id, { size: 654 });
    const hubs = await client.getHubs();
    const hubId = hubs.data?.[0]?.id ?? "";
    const projects = await client.getHubProjects(hubId);
    const project = projects.data?.[0];
    assert.equal(project?.id, place.projectId);
    assert.equal(project?.relationships?.rootFolder?.data?.id, place.rootFolderId);
    const tops = await client.getProjectTopFolders(hubId, place.projectId);
    assert.deepEqual(tops.data?.map((folder) => folder.attributes.name), ["Project Files"]);
    const folder = await client.getFolder(place.projectId, place.folderId);
    assert.equal(folder.data?.attributes.name, "Project Files");
    const parent = await client.getFolderParent(place.projectId, place.folderId);
    assert.equal(parent.data?.id, place.rootFolderId);
    const shown = await client.getItem(place.projectId, item.id, { includePathInProject: true });
    assert.equal(shown.data?.id, item.id);
    const tip = await client.getItemTip(place.projectId, item.id);
    assert.equal(tip.data?.attributes?.storageSize, 654);
    assert.equal(tip.data?.attributes?.versionNumber, 2);
    const versions = await client.getItemVersions(place.projectId, item.id);
    assert.deepEqual(versions.data?.map((version) => version.attributes.versionNumber), [2, 1]);
    const version = await client.getVersion(place.projectId, tip.data?.id ?? "");
    assert.equal(version.data?.attributes.name, "plan.pdf");
  } finally {
    await server.stop();
  }
});

Deno.test("Autodesk's own client reads a large folder to its last page", async () => {
  const { server, model, place, client } = await startClient();
  try {
    generateTree(model, { parent: place.folderId, items: 450, folders: 1 });
    const folder = [...model.folder(place.folderId).children][0];
    const found = new Map<string, string>();
    let pageNumber = 0;
    for (let isLast = false; !isLast; pageNumber++) {
      const page = await client.getFolderContents(place.projectId, folder?.id ?? "", {
        pageNumber,
        pageLimit: 200,
      });
      for (const version of page.included ?? []) {
        found.set(version.relationships.item.data?.id ?? "", version.attributes.name ?? "");
      }
      isLast = page.links.next === undefined;
    }
    assert.equal(pageNumber, 3);
    assert.deepEqual(
      new Map([...found].sort()),
      new Map([...model.items.values()].map((item) => [item.id, item.displayName] as const).sort()),
    );
  } finally {
    await server.stop();
  }
});

Deno.test("Autodesk's own client looks items up by command", async () => {
  const { server, model, place, client } = await startClient();
  try {
    const item = model.createItem({ parent: place.folderId, name: "a.pdf" });
    const answer = await client.executeListItemsCommand(place.projectId, {
      type: "commands",
      attributes: { extension: { type: "commands:autodesk.core:ListItems", version: "1.1.0" } },
      relationships: { resources: { data: [{ type: "items", id: item.id }] } },
    });
    assert.deepEqual(answer.relationships?.resources?.data?.map(({ id }) => id), [item.id]);
    assert.deepEqual(answer.included?.map(({ attributes }) => attributes.name), ["a.pdf"]);
  } finally {
    await server.stop();
  }
});
