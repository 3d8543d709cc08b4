/** Why a function did not answer. */
export type FunctionFault =
  /** It could not start. */
  | "boot_error"
  /** It died with the request in its hands. */
  | "worker_limit"
  /** It gave no answer within the time allowed. */
  | "idle_timeout";

/** A request to which a function gave no answer. */
export class FunctionFailure extends Error {
  override readonly name = "FunctionFailure";
  readonly fault: FunctionFault;
  constructor(fault: FunctionFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
