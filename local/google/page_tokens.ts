import { invalidValue } from "./api_error.ts";
import { hashText } from "../emulator/random_ids.ts";
import { z } from "zod";

const Payload = z.object({
  /** What the token belongs to: account, method and search, as one text. */
  binding: z.string(),
  generation: z.number(),
  issuedMs: z.number(),
  position: z.number(),
  /** Set on the later pages of a search that lost some of its grouped parents. */
  isPartial: z.boolean().optional(),
});

/** Where a listing or a change log goes on. */
export interface Position {
  readonly position: number;
  readonly isPartial?: boolean | undefined;
}

/** Opaque page tokens: each is good for the one search, or the one log, that it was made for. */
export class PageTokens {
  readonly #secret: string;
  readonly #now: () => number;
  readonly #lifetimeMs: number;
  #generation = 1;

  constructor(secret: string, now: () => number, lifetimeMs: number) {
    this.#secret = secret;
    this.#now = now;
    this.#lifetimeMs = lifetimeMs;
  }

  /** Makes a token. */
  issue(binding: string, at: Position): string {
    const json = JSON.stringify({
      binding: this.#digest(binding),
      generation: this.#generation,
      // A token without a term names a position and nothing else: the same one, the same token.
      issuedMs: Number.isFinite(this.#lifetimeMs) ? this.#now() : 0,
      ...at,
    });
    const body = btoa(json).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    return `~!!~${body}.${this.#digest(body)}`;
  }

  /** Reads a token back; throws Drive's 400 where it is foreign, forged or expired. */
  open(token: string, binding: string): Position {
    const [, body, seal] = /^~!!~([A-Za-z0-9_-]+)\.([0-9a-z]+)$/.exec(token) ?? [];
    if (body === undefined || seal !== this.#digest(body)) throw invalidValue("pageToken");
    const payload = Payload.parse(
      JSON.parse(atob(body.replaceAll("-", "+").replaceAll("_", "/"))),
    );
    const isDead = payload.generation !== this.#generation ||
      this.#now() - payload.issuedMs > this.#lifetimeMs;
    if (isDead || payload.binding !== this.#digest(binding)) throw invalidValue("pageToken");
    return { position: payload.position, isPartial: payload.isPartial };
  }

  /** Makes every token handed out so far worthless. */
  expireAll(): void {
    this.#generation++;
  }

  #digest(text: string): string {
    const first = hashText(`${this.#secret}:${text}`);
    return first.toString(36) + hashText(`${text}:${first}:${this.#secret}`).toString(36);
  }
}
