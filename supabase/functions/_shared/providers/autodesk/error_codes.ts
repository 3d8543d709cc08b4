import { z } from "zod";

/** A word that another case or a missing value turns into nothing worse than an unknown word. */
const word = z.string().catch("");

/**
 * Autodesk's two error bodies: that of the APIs (JSON:API) and that of the gateway before them.
 * https://aps.autodesk.com/en/docs/oauth/v2/developers_guide/error_handling/
 */
const errorBody = z.object({
  errors: z.array(z.object({ code: word }).catch({ code: "" })).catch([]),
  errorCode: word,
  /** The token service's own, as OAuth 2.0 has it. */
  error: word,
});

/** The words for a failure that a body holds, in upper case: the gateway's own case varies. */
export function readErrorCodes(body: unknown): readonly string[] {
  const parsed = errorBody.safeParse(body);
  if (!parsed.success) return [];
  const { errors, errorCode, error } = parsed.data;
  const codes = [errorCode, error, ...errors.map(({ code }) => code)];
  return codes.filter((code) => code !== "").map((code) => code.toUpperCase());
}
