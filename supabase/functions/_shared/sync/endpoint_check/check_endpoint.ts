import type { SyncError } from "../../errors.ts";
import type { AccessTokenSource } from "../../oauth/access_tokens.ts";
import { type AuthMode, authModeOf } from "../../oauth/auth_mode.ts";
import type {
  ListingStart,
  Provider,
  ProviderContext,
  ProviderSettings,
} from "../../providers/types.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { type Check, type CheckName, type Checks, createChecks } from "./checks.ts";
import { describeConfig } from "./config_words.ts";
import { ANSWERED, PLACES } from "./failure_places.ts";
import { firstTask } from "./first_task.ts";
import { createTestCalls, type TestCalls, type TestCallsOptions } from "./test_calls.ts";
import { count, sentence } from "./words.ts";

/** A token to test with, and what it says of itself. */
export interface TestToken {
  readonly source: AccessTokenSource;
  readonly scope: string | null;
  /** Whose it is, for the message. */
  readonly owner: string;
  readonly expiresAt: Date;
}

/** What {@linkcode checkEndpoint} needs. */
export interface EndpointCheck<Config>
  extends Pick<TestCallsOptions<Config>, "fetch" | "now" | "sleep" | "random" | "startedAt"> {
  readonly provider: Provider<Config>;
  readonly endpointConfig: unknown;
  /** An account was connected to the endpoint once. */
  readonly needsGrant: boolean;
  /** Reads all settings that a sync needs; throws `setting_invalid`. */
  readonly readSettings: () => ProviderSettings;
  /** Obtains the token with which the endpoint would be read. */
  readonly obtainToken: (
    mode: AuthMode,
    config: Config,
    settings: ProviderSettings,
    signal: AbortSignal,
  ) => Promise<TestToken>;
  /** Longest time for all of it. */
  readonly limitMs: number;
  /** Told of every failure, for the log. */
  readonly onFailure: (name: CheckName, error: SyncError) => void;
}

const PAGE_SIZE = 20;

/** Looks at everything that an endpoint needs to be synced, up to its first page; writes nothing. */
export async function checkEndpoint<Config>(
  test: EndpointCheck<Config>,
): Promise<readonly Check[]> {
  const checks = createChecks();
  await new Test(test, checks).run();
  return checks.finish();
}

class Test<Config> {
  readonly #test: EndpointCheck<Config>;
  readonly #checks: Checks;
  readonly #deadline: AbortSignal;

  constructor(test: EndpointCheck<Config>, checks: Checks) {
    this.#test = test;
    this.#checks = checks;
    const spentMs = test.now().getTime() - test.startedAt.getTime();
    this.#deadline = AbortSignal.timeout(Math.max(1, test.limitMs - spentMs));
  }

  async run(): Promise<void> {
    const { provider, readSettings, endpointConfig, needsGrant, obtainToken } = this.#test;
    const settings = await this.#step("settings", readSettings, () => "All settings are there.");
    const config = await this.#step(
      "configuration",
      () => ({
        parsed: provider.parseConfig(endpointConfig),
        mode: authModeOf(endpointConfig, needsGrant),
      }),
      ({ parsed }) => describeConfig(provider, endpointConfig, parsed),
    );
    if (settings === null || config === null) return;
    const token = await this.#step(
      "token",
      () => obtainToken(config.mode, config.parsed, settings, this.#deadline),
      (issued) => `There is ${issued.owner} token, good for ${this.#minutesOf(issued)}.`,
    );
    if (token === null || !this.#checkScope(token)) return;
    const calls = createTestCalls({
      ...this.#test,
      config: config.parsed,
      settings,
      tokens: token.source,
      deadline: this.#deadline,
    });
    await this.#read(calls, this.#contextOf(calls, config.parsed, settings));
  }

  async #step<Value>(
    name: CheckName,
    step: () => Value | Promise<Value>,
    describe: (value: Value) => string,
  ): Promise<Value | null> {
    const outcome = await this.#attempt(step);
    if (outcome.type === "done") {
      this.#checks.note(name, "pass", describe(outcome.value), outcome.tookMs);
      return outcome.value;
    }
    this.#stop(name, outcome);
    return null;
  }

  #attempt<Value>(step: () => Value | Promise<Value>): Promise<Attempt<Value>> {
    return attempt({ now: this.#test.now, deadline: this.#deadline }, step);
  }

  /** Notes the end of the test at this check. */
  #stop(name: CheckName, outcome: Exclude<Attempt<unknown>, { type: "done" }>): void {
    if (outcome.type === "over") {
      this.#checks.note(name, "skipped", outcome.message, outcome.tookMs);
      return;
    }
    this.#checks.note(name, "fail", sentence(outcome.error), outcome.tookMs);
    this.#test.onFailure(name, outcome.error);
  }

  /** What the token says it allows; whether the API agrees, its first answer tells. */
  #checkScope({ scope }: TestToken): boolean {
    const { scopes, displayName } = this.#test.provider;
    const granted = scope === null ? scopes : scope.split(/\s+/);
    const missing = scopes.filter((wanted) => !granted.includes(wanted));
    if (missing.length === 0) return true;
    const message = `${displayName} has not granted ${missing.join(" and ")}: allow it for these ` +
      "credentials, or connect the account again and leave every box ticked.";
    this.#checks.note("scope", "fail", message);
    return false;
  }

  async #read(calls: TestCalls, context: ProviderContext<Config>): Promise<void> {
    const { provider } = this.#test;
    const started = await this.#attempt(() => provider.startListing(context));
    if (started.type !== "done") {
      this.#noteUnreached(started);
      return;
    }
    this.#noteAnswered();
    this.#noteReached(started.value, started.tookMs);
    await this.#readPage(started.value, context);
    if (this.#checks.hasFailed()) return;
    const { calls: count, units, unitsPerMinute } = calls.seenQuota();
    const message = `${provider.displayName} let all ${count} calls of this test through; they ` +
      `cost ${units} of ${unitsPerMinute} units a minute of the limit they came nearest to.`;
    this.#checks.note("quota", "pass", message);
  }

  #noteAnswered(): void {
    const { displayName, scopes } = this.#test.provider;
    this.#checks.note("scope", "pass", `The token allows ${scopes.join(" and ")}.`);
    this.#checks.note("api_enabled", "pass", `The API of ${displayName} answers.`);
  }

  #noteReached({ roots, unreadable_roots = [] }: ListingStart, tookMs: number): void {
    const [first] = unreadable_roots;
    if (first === undefined) {
      const message = `What is to be synced can be seen (${count(roots.length, "folder")}).`;
      this.#checks.note("reachable", "pass", message, tookMs);
      return;
    }
    const total = roots.length + unreadable_roots.length;
    const message = `${unreadable_roots.length} of ${total} folders of endpoint_config cannot be ` +
      `read, the first is "${first}": share them with the account, or take them out.`;
    this.#checks.note("reachable", "fail", message, tookMs);
  }

  #noteUnreached(outcome: Exclude<Attempt<unknown>, { type: "done" }>): void {
    const place = outcome.type === "failed" ? PLACES[outcome.error.code] : "reachable";
    const isKnown = outcome.type === "over" || ANSWERED.has(outcome.error.code);
    if (isKnown) this.#noteAnswered();
    else if (place !== "scope") {
      const { scopes } = this.#test.provider;
      this.#checks.note("scope", "pass", `The token allows ${scopes.join(" and ")}.`);
    }
    this.#stop(place, outcome);
  }

  async #readPage(start: ListingStart, context: ProviderContext<Config>): Promise<void> {
    const { provider } = this.#test;
    const task = firstTask(start, provider.limits.foldersPerTask);
    if (task === null) {
      this.#checks.note("page", "pass", "There is nothing to list.");
      return;
    }
    const read = await this.#attempt(() => provider.readPage(task, context));
    if (read.type !== "done") {
      const place = read.type === "failed" ? PLACES[read.error.code] : "page";
      this.#stop(place === "quota" ? "quota" : "page", read);
      return;
    }
    const { files, folders, skipped: [skipped] } = read.value;
    const seen = `${count(files.length, "file")} and ${count(folders.length, "folder")}`;
    if (skipped === undefined) {
      this.#checks.note("page", "pass", `One page was listed: ${seen}.`, read.tookMs);
    } else {
      const message = `One page was listed, but not all of it could be read: ${skipped.message}`;
      this.#checks.note("page", "fail", message, read.tookMs);
    }
  }

  #contextOf(
    calls: TestCalls,
    config: Config,
    { apiUrl }: ProviderSettings,
  ): ProviderContext<Config> {
    return {
      config,
      apiUrl,
      pageSize: Math.min(PAGE_SIZE, this.#test.provider.limits.maxPageSize),
      getJson: calls.getJson,
      idleLanes: 0,
      mode: "full",
      memory: null,
      now: this.#test.now,
      signal: this.#deadline,
    };
  }

  #minutesOf({ expiresAt }: TestToken): string {
    const leftMs = expiresAt.getTime() - this.#test.now().getTime();
    return count(Math.round(leftMs / 60_000), "minute");
  }
}
