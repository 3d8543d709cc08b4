import { z } from "zod";
import type { ApiAnswer, ApiCall } from "./api_call.ts";
import { badInput, notEmulated } from "./api_error.ts";
import { tipOf } from "./aps_types.ts";
import { itemResource, versionResource } from "./item_resources.ts";
import { JSON_API } from "./rendering.ts";

const LIST_ITEMS = "commands:autodesk.core:ListItems";
const MOST_ITEMS = 50;

const Command = z.object({
  jsonapi: z.object({ version: z.literal("1.0") }),
  data: z.object({
    type: z.literal("commands"),
    attributes: z.object({
      extension: z.object({
        type: z.string(),
        version: z.string(),
        data: z.object({ includePathInProject: z.boolean().optional() }).optional(),
      }),
    }),
    relationships: z.object({
      resources: z.object({
        data: z.array(z.object({ type: z.literal("items"), id: z.string() })).min(1),
      }),
    }),
  }),
});

/** `POST /data/v1/projects/{project}/commands`, of which `ListItems` alone is emulated. */
export function executeCommand(call: ApiCall): ApiAnswer {
  const project = call.project();
  const parsed = Command.safeParse(call.body);
  if (!parsed.success) throw badInput("The command cannot be read");
  const { attributes, relationships } = parsed.data.data;
  const { type, version, data: options } = attributes.extension;
  if (type !== LIST_ITEMS) throw notEmulated(`the command ${type}`);
  if (version !== "1.1.0" && version !== "1.0.0") {
    throw badInput(`The command has no version "${version}"`);
  }
  const asked = relationships.resources.data;
  if (asked.length > MOST_ITEMS) {
    throw badInput(`A command takes ${MOST_ITEMS} items at most: current value is ${asked.length}`);
  }
  const to = call.rendering("seven_digits");
  const items = asked.map(({ id }) => call.itemOf(project, id));
  const tips = items.map(tipOf).filter((tip) => tip !== null);
  return {
    type: "json",
    body: {
      jsonapi: JSON_API,
      data: {
        type: "commands",
        id: crypto.randomUUID(),
        attributes: { status: "committed", extension: { type, version } },
        relationships: {
          resources: {
            data: items.map((item) => ({
              type: "items",
              id: item.id,
              meta: itemResource(item, to, { hasPath: options?.includePathInProject === true }),
            })),
          },
        },
        included: tips.map((tip) => versionResource(tip, to)),
      },
    },
  };
}
