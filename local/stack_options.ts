import type { DatabaseOptions } from "./database.ts";

/** How {@linkcode startStack} boots a stack. */
export interface StackOptions {
  /** Absolute path of the folder for database, keys and logs. */
  readonly stateDir: string;
  /** Port of the API on 127.0.0.1; 0 picks a free one. */
  readonly apiPort: number;
  /** Port of the database on 127.0.0.1; 0 picks a free one. */
  readonly dbPort: number;
  readonly server: DatabaseOptions["server"];
  /** Settings for the functions that win over those of the environment and of the `.env` file. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Files outside the repository that functions may read. */
  readonly readable?: readonly string[];
  /** False trades safety on power loss for speed: for tests. True unless told. */
  readonly durable?: boolean;
  /** Throws away what an earlier start kept. */
  readonly reset?: boolean;
  /** False leaves the functions out: for tests of the database and of REST. True unless told. */
  readonly withFunctions?: boolean;
  /** False leaves the scheduler out, so that tests tick by hand. True unless told. */
  readonly withScheduler?: boolean;
  /**
   * What the functions are told of where the API is: for something that stands between them and it.
   * The address itself unless told.
   */
  readonly functionsApiUrl?: (apiUrl: string) => string;
  /**
   * Told of each call of the API when it has been answered: for measurements. Who wants to read the
   * answer clones it at once.
   */
  readonly onAnswer?: (request: Request, response: Response) => void;
  /** Told, in one line, what is happening. */
  readonly log?: (line: string) => void;
}
