/** Finding the hub of a project, and saying what is wrong where there is none. */
import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { ProviderContext } from "../types.ts";
import { CUSTOM_INTEGRATIONS } from "./classify.ts";
import type { AutodeskConfig } from "./config.ts";
import { hubList, parseAnswer, projectAnswer } from "./schemas.ts";
import { CLIENT_ID } from "./credentials.ts";
import { hubsUrl, projectUrl } from "./urls.ts";

type Context = ProviderContext<AutodeskConfig>;

/** Hubs that are searched for a project; each costs a call of which there are fifty a minute. */
const MOST_SEARCHED_HUBS = 40;

/** What the provider remembers of an endpoint. */
const memory = z.object({ hub_id: z.string().min(1) });

/** The hubs the application sees. */
interface Hubs {
  readonly ids: readonly string[];
  /** Regions whose hubs Autodesk does not show it. */
  readonly refusedRegions: readonly string[];
  /** A region did not answer properly: its hubs may be missing. */
  readonly isIncomplete: boolean;
}

/** Whether a failure says that something is missing or not shown. */
export function isRefusal(error: unknown): error is SyncError {
  return error instanceof SyncError &&
    (error.code === "scope_not_found" || error.code === "access_denied" ||
      error.code === "config_invalid");
}

/** The hub to read in: the configured one, the remembered one, or the one that is found. */
export async function chooseHub(context: Context): Promise<string> {
  const known = context.config.hubId ?? rememberedHub(context);
  if (known !== null) return known;
  const hubs = await listHubs(context);
  const [only, ...others] = hubs.ids;
  // Reading the folders will tell whether the project is in it.
  if (only !== undefined && others.length === 0) return only;
  return await searchHubs(hubs, context);
}

function rememberedHub(context: Context): string | null {
  const result = memory.safeParse(context.memory);
  return result.success ? result.data.hub_id : null;
}

/** Makes sure that the project can be seen; returns its hub. */
export async function verifyProject(context: Context): Promise<string> {
  const { hubId } = context.config;
  const remembered = rememberedHub(context);
  const known = hubId ?? remembered;
  if (known === null) return await searchHubs(await listHubs(context), context);
  const refusal = await probe(known, context);
  if (refusal === null) return known;
  if (hubId === null) return await searchHubs(await listHubs(context), context);
  throw await explainRefusal(refusal, hubId, context);
}

/**
 * Whether the project answers: then what does not, however often it is asked for, stops nothing else.
 * Where Autodesk does not answer at all, that is the whole run's matter.
 */
export async function isProjectThere(context: Context): Promise<boolean> {
  try {
    await verifyProject({ ...context, getJson: (url) => context.getJson(url, "probe") });
    return true;
  } catch (thrown) {
    // The end of the slice, and a lost lease, are no answers.
    if (!(thrown instanceof SyncError)) throw thrown;
    return false;
  }
}

/** Looks for the project in a hub; `null`: it is there, else why it is not. */
async function probe(hubId: string, context: Context): Promise<SyncError | null> {
  try {
    const answer = await context.getJson(projectUrl(context.apiUrl, hubId, context.config));
    parseAnswer(projectAnswer, answer, "the project");
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error;
  }
}

/** Whoever may not even ask for hubs is not known at all. */
async function askHubs({ getJson, apiUrl, config }: Context): Promise<unknown> {
  try {
    return await getJson(hubsUrl(apiUrl));
  } catch (error) {
    if (!isRefusal(error) || config.userId === null) throw error;
    const message =
      `Autodesk does not know the user "${config.userId}" of x_user_id, or not as a ` +
      "member of this account; correct x_user_id in endpoint_config";
    throw new SyncError(error.code, message, { cause: error });
  }
}

async function listHubs(context: Context): Promise<Hubs> {
  const { data, meta } = parseAnswer(hubList, await askHubs(context), "the hubs");
  const warnings = meta?.warnings ?? [];
  // 401 and 403 are what an application gets for regions it has nothing to do with, too.
  const refused = warnings.filter(({ HttpStatusCode }) =>
    HttpStatusCode === 401 || HttpStatusCode === 403
  );
  return {
    // Hubs of Fusion and of A360 begin with "a." and hold no project of Construction Cloud.
    ids: data.map(({ id }) => id).filter((id) => id.startsWith("b.")),
    refusedRegions: refused.flatMap(({ Title }) => /\b([A-Z]{2,5})\.?$/.exec(Title)?.[1] ?? []),
    isIncomplete: warnings.length > refused.length,
  };
}

async function findIn(hubIds: readonly string[], context: Context): Promise<string | null> {
  for (const id of hubIds.slice(0, MOST_SEARCHED_HUBS)) {
    if (await probe(id, context) === null) return id;
  }
  return null;
}

async function searchHubs(hubs: Hubs, context: Context): Promise<string> {
  const found = await findIn(hubs.ids, context);
  if (found !== null) return found;
  throw notFound(hubs, context);
}

function describeClient({ config, readerName = null }: Context): string {
  const clientId = config.clientId ?? readerName;
  return clientId === null ? `the client id set as ${CLIENT_ID}` : `client id "${clientId}"`;
}

function describeUser({ userId }: AutodeskConfig): string {
  return userId === null ? "" : `, and the user "${userId}" of x_user_id must be a member`;
}

function notProvisioned({ refusedRegions }: Hubs, context: Context, what: string): SyncError {
  const regions = refusedRegions.length === 0
    ? ""
    : ` (Autodesk shows it nothing of ${refusedRegions.join(", ")})`;
  return new SyncError(
    "api_disabled",
    `Cannot see ${what}${regions}: an account admin must add ${describeClient(context)} under ` +
      `${CUSTOM_INTEGRATIONS}${describeUser(context.config)}`,
  );
}

function hubsMissing(): SyncError {
  const message = "Autodesk could not list the hubs of every region; it is tried again shortly";
  return new SyncError("unavailable", message);
}

/** Why a project that was looked for in every hub is in none. */
function notFound(hubs: Hubs, context: Context): SyncError {
  const { config } = context;
  const { projectId } = config;
  if (hubs.isIncomplete) return hubsMissing();
  if (hubs.ids.length === 0) return notProvisioned(hubs, context, "any Construction Cloud account");
  if (hubs.ids.length > MOST_SEARCHED_HUBS) {
    const message = `Cannot find project "${projectId}" in the first ${MOST_SEARCHED_HUBS} of ` +
      `${hubs.ids.length} hubs: set hub_id in endpoint_config`;
    return new SyncError("config_invalid", message);
  }
  const searched = hubs.ids.length === 1 ? `hub "${hubs.ids[0]}"` : `${hubs.ids.length} hubs`;
  if (hubs.refusedRegions.length === 0) return projectMissing(searched, config);
  return new SyncError(
    "access_denied",
    `Cannot find project "${projectId}" in ${searched}, and Autodesk shows nothing of ` +
      `${hubs.refusedRegions.join(", ")}: correct project_id, or, if it lies there, an account ` +
      `admin must add ${describeClient(context)} under ${CUSTOM_INTEGRATIONS}${
        describeUser(config)
      }`,
  );
}

function projectMissing(searched: string, config: AutodeskConfig): SyncError {
  return new SyncError(
    "scope_not_found",
    `Cannot find project "${config.projectId}" in ${searched}: correct project_id, or check that ` +
      `the project is active${describeUser(config)}`,
  );
}

/**
 * Why a project could not be read in a hub. Autodesk answers alike where an id is wrong, where the
 * application was never let in and where a permission is missing; the list of hubs tells them apart.
 */
export async function explainRefusal(
  refusal: SyncError,
  hubId: string,
  context: Context,
): Promise<SyncError> {
  const { config } = context;
  const hubs = await listHubs(context);
  const elsewhere = await findIn(hubs.ids.filter((id) => id !== hubId), context);
  if (elsewhere !== null) return otherHub(elsewhere, hubId, refusal, config);
  if (config.hubId === null && refusal.code !== "access_denied") return notFound(hubs, context);
  if (hubs.ids.includes(hubId)) {
    if (refusal.code !== "access_denied") return projectMissing(`hub "${hubId}"`, config);
    return new SyncError(
      "access_denied",
      `Cannot read project "${config.projectId}": give ${
        describeClient(context)
      } access to it, and ` +
        `check that the project is active${describeUser(config)}`,
      { cause: refusal },
    );
  }
  if (hubs.isIncomplete) return hubsMissing();
  return notProvisioned(hubs, context, `hub "${hubId}"`);
}

function otherHub(
  elsewhere: string,
  hubId: string,
  cause: SyncError,
  config: AutodeskConfig,
): SyncError {
  if (config.hubId === null) {
    const message = "The project lies in another hub than before; it is listed anew";
    return new SyncError("cursor_expired", message, { cause });
  }
  const message =
    `Cannot read project "${config.projectId}" as hub_id must be the hub it lies in, ` +
    `"${elsewhere}": current value is "${hubId}"`;
  return new SyncError("config_invalid", message, { cause });
}
