import { z } from "zod";
import { SyncError } from "../../errors.ts";
import { toStorableText } from "./text.ts";

/** A field that describes a thing but does not place it: one unreadable or empty is left out. */
const detail = z.string().min(1).optional().catch(undefined);

/**
 * An id is a key: one that would have to be altered to be stored is refused. So is one that an address
 * does not hold: as part of a path, dots alone lead to another resource, however they are encoded.
 */
const id = z.string().min(1).refine((value) =>
  toStorableText(value) === value && value !== "." && value !== ".."
);

const relationship = z.object({ data: z.object({ id }) }).optional().catch(undefined);

const webLinks = z
  .object({ webView: z.object({ href: detail }).optional().catch(undefined) })
  .optional()
  .catch(undefined);

// Times and sizes are looked at more closely where they are used: a bad one becomes null there.
const authorship = {
  createTime: z.unknown().optional(),
  createUserName: detail,
  lastModifiedTime: z.unknown().optional(),
  lastModifiedUserName: detail,
};

/** A folder. */
export const folderResource = z.object({
  type: z.literal("folders"),
  id,
  attributes: z.object({
    name: z.string(),
    hidden: z.boolean().catch(false),
    lastModifiedTimeRollup: z.unknown().optional(),
    objectCount: z.number().int().optional().catch(undefined),
  }),
  relationships: z.object({ parent: relationship }).optional().catch(undefined),
});

/** A folder. */
export type FolderResource = z.infer<typeof folderResource>;

/** An item: what all versions of a file have in common. */
export const itemResource = z.object({
  type: z.literal("items"),
  id,
  attributes: z.object({
    ...authorship,
    displayName: detail,
    hidden: z.boolean().catch(false),
    extension: z
      .object({ data: z.object({ sourceFileName: detail }).optional().catch(undefined) })
      .optional()
      .catch(undefined),
  }),
  links: webLinks,
  relationships: z
    .object({ tip: relationship, parent: relationship })
    .optional()
    .catch(undefined),
});

/** An item. */
export type ItemResource = z.infer<typeof itemResource>;

/** What may lie in a folder. */
export const entry = z.discriminatedUnion("type", [folderResource, itemResource]);

/** A version of a file. */
export const versionResource = z.object({
  type: z.literal("versions"),
  id,
  attributes: z.object({
    ...authorship,
    name: detail,
    displayName: detail,
    versionNumber: z.number().int().optional().catch(undefined),
    storageSize: z.unknown().optional(),
    fileType: detail,
    mimeType: detail,
    extension: z
      .object({
        type: detail,
        data: z
          .object({ processState: detail, revisionDisplayLabel: detail })
          .optional()
          .catch(undefined),
      })
      .optional()
      .catch(undefined),
  }),
  links: webLinks,
  relationships: z.object({ item: relationship }).optional().catch(undefined),
});

/** A version of a file. */
export type VersionResource = z.infer<typeof versionResource>;

/** Just enough of a resource to name it when the rest cannot be read. */
export const resourceId = z.object({ id });

// A next link that cannot be read must not look like the end of the list.
const nextLink = z
  .union([z.string().min(1), z.object({ href: z.string().min(1) }).transform(({ href }) => href)])
  .nullish();

const pageLinks = z.object({ next: nextLink }).nullish();

/** One page of a list. Resources are parsed one by one, so that a bad one spoils no other. */
export const resourceList = z
  .object({
    data: z.array(z.unknown()),
    included: z.array(z.unknown()).nullish(),
    links: pageLinks,
    // One guide shows the links here; the service itself is not known to.
    meta: z.object({ links: pageLinks }).nullish().catch(undefined),
  })
  .transform(({ data, included, links, meta }) => ({
    data,
    included: included ?? [],
    next: links?.next ?? meta?.links?.next ?? null,
  }));

/** One page of a list. */
export type ResourceList = z.infer<typeof resourceList>;

/** The answer to a call for one folder. */
export const folderAnswer = z.object({ data: folderResource });

/** The answer to a call for one item, with its tip version. */
export const itemAnswer = z.object({
  data: itemResource,
  included: z.array(z.unknown()).nullish().catch(undefined),
});

/** The answer to a call for one project. */
export const projectAnswer = z.object({ data: z.object({ type: z.literal("projects"), id }) });

/** The hubs, and what Autodesk says of regions whose hubs it could not list. */
export const hubList = z.object({
  data: z.array(z.object({ id })),
  meta: z
    .object({
      warnings: z
        .array(
          z.object({ HttpStatusCode: z.coerce.number().catch(0), Title: z.string().catch("") }),
        )
        .nullish()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

/** Parses an answer, or fails with a sentence that names what was asked. */
export function parseAnswer<Schema extends z.ZodType>(
  schema: Schema,
  answer: unknown,
  asked: string,
): z.output<Schema> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const message = `Cannot read Autodesk's answer about ${asked}; it will be tried again`;
  throw new SyncError("response_invalid", message, { cause: result.error, isUnreadable: true });
}
