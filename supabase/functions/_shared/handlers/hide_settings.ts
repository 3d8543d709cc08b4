import { type Env, readCallerSettings } from "../config.ts";
import { SyncError } from "../errors.ts";
import { type Caller, createIdentifyCaller } from "../http/caller.ts";
import { HttpError } from "../http/http_error.ts";

/** Whom a function answers. */
export interface Audience {
  /** How callers may show who they are. */
  readonly callers: readonly Caller["type"][];
  /** Whether anybody may make this request, known or not. */
  readonly isOpen: (request: Request) => boolean;
}

/**
 * What the caller of a function whose settings cannot be read is told of it: the failure itself to
 * whoever may call, as far as that can still be found out, and to all others nothing of a setting.
 */
export async function hideSettings(
  failure: unknown,
  request: Request,
  { callers, isOpen }: Audience,
  env: Env,
): Promise<unknown> {
  const { settings, unknown } = readCallerSettings(env);
  try {
    await createIdentifyCaller(settings)(request, callers);
    return failure;
  } catch (refused) {
    const isRefusal = refused instanceof HttpError;
    // Who cannot be checked is not refused: the caller may be right, and the function is not.
    const isCheckable = callers.every((type) => !unknown.has(type));
    return isRefusal && isCheckable && !isOpen(request) ? refused : incomplete(failure);
  }
}

function incomplete(cause: unknown): SyncError {
  const message = "A setting of this function is missing or malformed; its logs name it.";
  return new SyncError("setting_invalid", message, { cause });
}
