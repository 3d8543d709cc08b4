import type { DriveState } from "./drive_state.ts";
import type { Item } from "./drive_types.ts";
import { JsonText } from "./json_text.ts";

/** Some 100 MB of them. */
export const MOST_TEXTS = 150_000;

/**
 * The JSON of items as one viewer's lists show them, kept while nothing in the model changes: a page is
 * made of texts, or whoever is measured against the emulator would wait for its processor.
 */
export class ResourceTexts {
  readonly #model: DriveState;
  readonly #most: number;
  readonly #texts = new Map<string, Map<Item, string>>();
  #count = 0;
  #revision = -1;

  /** Keeps at most so many texts; none for 0. */
  constructor(model: DriveState, most: number) {
    this.#model = model;
    this.#most = most;
  }

  /**
   * The JSON of a list of items.
   *
   * @param view names who looks, and at which fields
   */
  list(view: string, items: readonly Item[], project: (item: Item) => unknown): JsonText {
    if (this.#revision !== this.#model.revision) this.#forget();
    const texts = this.#textsOf(view);
    return new JsonText(`[${items.map((item) => this.#text(texts, item, project)).join(",")}]`);
  }

  #text(texts: Map<Item, string>, item: Item, project: (item: Item) => unknown): string {
    const known = texts.get(item);
    if (known !== undefined) return known;
    const text = JSON.stringify(project(item));
    if (this.#count < this.#most) {
      texts.set(item, text);
      this.#count += 1;
    }
    return text;
  }

  #textsOf(view: string): Map<Item, string> {
    const texts = this.#texts.get(view) ?? new Map<Item, string>();
    this.#texts.set(view, texts);
    return texts;
  }

  #forget(): void {
    this.#texts.clear();
    this.#count = 0;
    this.#revision = this.#model.revision;
  }
}
