/** What of an endpoint is looked at, in this order. */
export const CHECK_NAMES = [
  "settings",
  "configuration",
  "token",
  "scope",
  "api_enabled",
  "reachable",
  "page",
  "quota",
] as const;

/** One of {@linkcode CHECK_NAMES}. */
export type CheckName = typeof CHECK_NAMES[number];

/** How a check ended. */
export type CheckResult = "pass" | "fail" | "skipped";

/** One check. Its message says what was seen, or what to do. */
export interface Check {
  readonly name: CheckName;
  readonly result: CheckResult;
  readonly message: string;
  readonly took_ms: number;
}

/** Collects the checks of one endpoint. */
export interface Checks {
  note(name: CheckName, result: CheckResult, message: string, tookMs?: number): void;
  /** Whether any check has failed so far. */
  hasFailed(): boolean;
  /** Every check in its order; what was not looked at is skipped, and says because of what. */
  finish(): readonly Check[];
}

/** Begins a collection. */
export function createChecks(): Checks {
  const noted = new Map<CheckName, Check>();
  const firstNoted = (result: CheckResult) =>
    CHECK_NAMES.find((name) => noted.get(name)?.result === result);
  return {
    note(name, result, message, tookMs = 0) {
      noted.set(name, { name, result, message, took_ms: Math.round(tookMs) });
    },
    hasFailed: () => firstNoted("fail") !== undefined,
    finish() {
      const reason = firstNoted("fail") ?? firstNoted("skipped");
      const message = reason === undefined
        ? "Not looked at."
        : `Not looked at: the check "${reason}" comes first.`;
      return CHECK_NAMES.map((name) =>
        noted.get(name) ?? { name, result: "skipped", message, took_ms: 0 }
      );
    },
  };
}
