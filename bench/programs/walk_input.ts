import { z } from "zod";

/** What the bench tells a program that walks a project. */
export const WalkInput = z.object({
  /** Base of the Data API's origin. */
  api_url: z.string(),
  secret_key: z.string(),
  /** Base of the emulated Autodesk Platform Services. */
  aps_url: z.string(),
  hub_id: z.string(),
  project_id: z.string(),
  access_token: z.string(),
  endpoint_id: z.string(),
});

/** What the bench tells a program that walks a project. */
export type WalkInput = z.infer<typeof WalkInput>;
