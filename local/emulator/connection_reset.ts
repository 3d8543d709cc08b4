/** Thrown where the connection is to break without an answer. */
export class ConnectionReset extends TypeError {
  override readonly name = "ConnectionReset";
}
