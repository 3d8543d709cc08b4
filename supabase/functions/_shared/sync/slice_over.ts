/**
 * Thrown where the rest of the work is better done by a later slice: no failure, the run goes on. It
 * never leaves the engine.
 */
export class SliceOver extends Error {
  override readonly name = "SliceOver";
}
