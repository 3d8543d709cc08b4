/** Asks the person at the terminal for what the flags left out. */
import { StackError } from "../local/failure.ts";
import type { EndpointAddOptions } from "./endpoint_add_options.ts";
import {
  checkName,
  checkType,
  checkUser,
  ENDPOINT_TYPES,
  type NewEndpoint,
  readConfig,
} from "./new_endpoint.ts";
import { plainText } from "../local/plain_text.ts";
import type { ProjectDeps } from "./project_command.ts";

/** Asks one question; `null` when nobody answers. */
export type Ask = (question: string) => string | null;

/** What it takes to put an endpoint together. */
export interface Questions {
  readonly terminal: ProjectDeps["terminal"];
  /** `null`: nobody is there to be asked. */
  readonly ask: Ask | null;
  /** The signed-in user, or `null` with a secret key. */
  readonly userId: string | null;
}

const MOST_ATTEMPTS = 3;

/** The row to be inserted: what the flags say, and what the person answers to the rest. */
export function newEndpoint(options: EndpointAddOptions, questions: Questions): NewEndpoint {
  const answer = <Value>(
    flag: string,
    given: string | undefined,
    question: string,
    read: (text: string) => Value,
  ) => readAnswer({ flag, given, question, read }, questions);

  const types = ENDPOINT_TYPES.join(" or ");
  const endpoint_type = answer("type", options.type, `type (${types}): `, checkType);
  const name = answer("name", options.name, "name: ", checkName);
  const endpoint_config = options.config === undefined && questions.ask === null
    ? readConfig(endpoint_type, "{}")
    : answer(
      "config",
      options.config,
      "endpoint_config as JSON, as docs/api.md explains it ({}): ",
      (text) => readConfig(endpoint_type, text.trim() || "{}"),
    );
  const user_id = questions.userId ??
    answer("user", options.user, "owner (auth.users.id): ", checkUser);
  const inConfig = endpoint_config["project_id"];
  const project_id = options.projectId ?? (typeof inConfig === "string" ? inConfig : name);
  return { ...options.rest, name, endpoint_type, project_id, user_id, endpoint_config };
}

interface Question<Value> {
  readonly flag: string;
  readonly given: string | undefined;
  readonly question: string;
  readonly read: (text: string) => Value;
}

function readAnswer<Value>(
  { flag, given, question, read }: Question<Value>,
  { ask, terminal }: Questions,
): Value {
  if (given !== undefined) return read(given);
  for (let attempt = 1; ask !== null; attempt++) {
    const answer = ask(question);
    if (answer === null) break;
    try {
      return read(answer.trim());
    } catch (cause) {
      if (!(cause instanceof StackError) || attempt === MOST_ATTEMPTS) throw cause;
      terminal.error(plainText(cause.message));
    }
  }
  throw new StackError(`Cannot add an endpoint: give --${flag} (see --help)`);
}
