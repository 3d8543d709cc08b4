import type { HttpFailure } from "../types.ts";
import { readErrorCodes } from "./error_codes.ts";

/** What the failures of Autodesk's APIs can mean. */
type AutodeskCode =
  | "access_denied"
  | "api_disabled"
  | "config_invalid"
  | "credentials_invalid"
  | "rate_limited"
  | "scope_not_found"
  | "unavailable";

/** What a failure means, and the sentence for the owner of the endpoint. */
export interface Verdict {
  readonly code: AutodeskCode;
  readonly message: string;
}

/** Where an account's admin lets an application in. */
export const CUSTOM_INTEGRATIONS = "Account Admin → Settings → Custom Integrations";

/** The gateway's words; they stand whatever the status. */
const GATEWAY: ReadonlyMap<string, Verdict> = new Map([
  ["AUTH-001", {
    code: "api_disabled",
    message: "The application may not use the Data Management API; add the API to it on " +
      "aps.autodesk.com under My Applications",
  }],
  ["AUTH-006", {
    code: "credentials_invalid",
    message: "Autodesk does not accept the access token, a new one too; check the application's " +
      "client id and secret",
  }],
  ["AUTH-010", {
    code: "credentials_invalid",
    message: "The access token lacks the scope data:read; allow it for the application",
  }],
  ["ERR-001", {
    code: "rate_limited",
    message: "Autodesk asks for fewer requests; it is tried again shortly",
  }],
]);

const UNAVAILABLE: Verdict = {
  code: "unavailable",
  message: "Autodesk did not answer properly; it is tried again shortly",
};

const TOO_MANY: Verdict = {
  code: "rate_limited",
  message: "Autodesk asks for fewer requests; it is tried again shortly",
};

/** Whether the call was about hubs and projects, not yet about folders and files. */
function isAboutProject(url: URL): boolean {
  return url.pathname.includes("/project/v1/");
}

/** A listing that is under way asks for nothing the owner wrote: its 400 is not the owner's. */
function isAboutConfig(url: URL): boolean {
  return isAboutProject(url) || /\/folders\/[^/]+$/.test(url.pathname);
}

function refused(url: URL): Verdict {
  const message = isAboutProject(url)
    ? "Autodesk does not let this client id see the account or the project: an account admin " +
      `must add it under ${CUSTOM_INTEGRATIONS}, and the project must be active`
    : "Autodesk does not let this client id or user read the folder; a project admin must give " +
      "permission for it";
  return { code: "access_denied", message };
}

function notFound(url: URL): Verdict {
  const what = isAboutProject(url) ? "project" : "folder";
  return {
    code: "scope_not_found",
    message: `Autodesk does not find the ${what}, or does not show it to this client id or user; ` +
      "check the ids in endpoint_config, and the permissions",
  };
}

/** A listing of one folder that is under way: what is wrong with it is that folder's matter. */
function isAboutContents(url: URL): boolean {
  return /\/folders\/[^/]+\/contents$/.test(url.pathname);
}

function notListed(status: number): Verdict {
  return {
    code: "access_denied",
    message: `Autodesk does not list the folder (status ${status}); it is tried again later`,
  };
}

function malformed(url: URL): Verdict | null {
  if (!isAboutConfig(url)) return null;
  return {
    code: "config_invalid",
    message: "Autodesk cannot read an id of endpoint_config; check project_id, hub_id and " +
      "folder_ids",
  };
}

/**
 * Tells failures of the Data Management API apart; `null` leaves the decision to the engine.
 * 403 stands for a missing provisioning and for a missing permission, 404 for "missing" and for
 * "hidden from you": `project.ts` finds out which.
 */
export function classify({ status, body, url }: HttpFailure): Verdict | null {
  for (const code of readErrorCodes(body)) {
    const verdict = GATEWAY.get(code);
    if (verdict !== undefined) return verdict;
  }
  if (status === 429) return TOO_MANY;
  if (status === 408 || status >= 500) return UNAVAILABLE;
  if (status === 403) return refused(url);
  if (status === 404 || status === 410) return notFound(url);
  if (status !== 401 && isAboutContents(url)) return notListed(status);
  return status === 400 ? malformed(url) : null;
}
