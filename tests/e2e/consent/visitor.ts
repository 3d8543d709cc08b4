/** A person at a browser, as far as giving consent needs one. */
export interface Visitor extends AsyncDisposable {
  /** What the person sits at. */
  readonly kind: "Chromium" | "fetch";
  /** Opens an address. */
  open(address: string): Promise<void>;
  /** Chooses an option of a list. */
  choose(name: string, value: string): Promise<void>;
  /** Takes the tick off a box. */
  untick(name: string, value: string): Promise<void>;
  /** Presses a button and waits until it has led to an address that begins so; returns that. */
  press(label: string, address: string): Promise<URL>;
  /** All that can be read on the page. */
  text(): Promise<string>;
}

/** How long a press of a button may take to lead somewhere. */
export const PRESS_DEADLINE_MS = 20_000;
