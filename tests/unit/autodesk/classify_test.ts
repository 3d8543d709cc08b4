import { equal, match } from "node:assert/strict";
import { classify } from "../../../supabase/functions/_shared/providers/autodesk/classify.ts";

const API = "https://aps.test";
const PROJECT = `${API}/project/v1/hubs/b.h/projects/b.p`;
const FOLDER = `${API}/data/v1/projects/b.p/folders/urn%3Aa`;
const CONTENTS = `${FOLDER}/contents?page%5Blimit%5D=200`;

const service = (status: number, code: string) => ({
  jsonapi: { version: "1.0" },
  errors: [{ id: "1", status: String(status), code, detail: "raw words" }],
});
const gateway = (errorCode: string) => ({ developerMessage: "raw words", errorCode });

const cases: readonly (readonly [number, unknown, string, string | null])[] = [
  [403, gateway("Auth-001"), CONTENTS, "api_disabled"],
  [401, gateway("AUTH-006"), CONTENTS, "credentials_invalid"],
  [401, gateway("auth-010"), CONTENTS, "credentials_invalid"],
  [403, gateway("ERR-001"), CONTENTS, "rate_limited"],
  [401, null, CONTENTS, null],
  [403, service(403, "BIM360DM_ERROR"), PROJECT, "access_denied"],
  [403, service(403, "FORBIDDEN"), CONTENTS, "access_denied"],
  [403, null, CONTENTS, "access_denied"],
  [404, service(404, "FOLDER_NOT_FOUND"), CONTENTS, "scope_not_found"],
  [404, service(404, "PROJECT_NOT_FOUND"), PROJECT, "scope_not_found"],
  [400, service(400, "BAD_INPUT"), PROJECT, "config_invalid"],
  [400, service(400, "BAD_INPUT"), FOLDER, "config_invalid"],
  [400, service(400, "BAD_INPUT"), CONTENTS, "access_denied"],
  [429, { developerMessage: "Quota limit exceeded." }, CONTENTS, "rate_limited"],
  [429, "text", CONTENTS, "rate_limited"],
  [500, { errors: "?" }, CONTENTS, "unavailable"],
  [503, null, CONTENTS, "unavailable"],
  [408, null, CONTENTS, "unavailable"],
  [423, null, CONTENTS, "access_denied"],
];

for (const [status, body, url, code] of cases) {
  const shown = `${status} ${JSON.stringify(body)} for ${new URL(url).pathname}`;
  Deno.test(`classify() takes ${shown} for ${code}`, () => {
    const verdict = classify({ status, body, url: new URL(url), headers: new Headers() });
    equal(verdict?.code ?? null, code);
    equal(verdict?.message.includes("raw words") ?? false, false);
  });
}

Deno.test("classify() tells a missing provisioning from a missing permission", () => {
  const of = (url: string) =>
    classify({ status: 403, body: null, url: new URL(url), headers: new Headers() })?.message ?? "";
  match(of(PROJECT), /Custom Integrations/);
  match(of(CONTENTS), /project admin must give permission/);
});
