import { hashText, hexText, idText } from "../emulator/random_ids.ts";
import type { Region } from "./aps_types.ts";

const USER_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ23456789";

/** Ids as Autodesk makes them; the same seed and the same texts give the same ids. */
export class ApsIds {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A GUID. */
  guid(text: string): string {
    const [first, second] = this.#numbers(text);
    const digits = hexText(first, second, 32);
    return [
      digits.slice(0, 8),
      digits.slice(8, 12),
      `4${digits.slice(13, 16)}`,
      `8${digits.slice(17, 20)}`,
      digits.slice(20),
    ].join("-");
  }

  /** The 22 characters of a folder, a lineage or a version's file. */
  token(text: string): string {
    return idText(...this.#numbers(text), 22);
  }

  /** The id of a user. */
  user(text: string): string {
    const digits = hexText(...this.#numbers(text), 24);
    return (digits.match(/../g) ?? [])
      .map((pair) => USER_ALPHABET[parseInt(pair, 16) % USER_ALPHABET.length]).join("");
  }

  #numbers(text: string): [first: number, second: number] {
    return [
      hashText(`first:${this.#seed}:${text}`),
      hashText(`second:${text}:${this.#seed}`),
    ];
  }
}

/** The namespace of a region's ids: data of another region has another one. */
function namespaceOf(region: Region): string {
  return region === "US" ? "wipprod" : `wip${region.toLowerCase()}`;
}

/** A folder's id. */
export function folderId(region: Region, token: string): string {
  return `urn:adsk.${namespaceOf(region)}:fs.folder:co.${token}`;
}

/** An item's id. */
export function lineageId(region: Region, token: string): string {
  return `urn:adsk.${namespaceOf(region)}:dm.lineage:${token}`;
}

/** A version's id. */
export function versionId(region: Region, token: string, number: number): string {
  return `urn:adsk.${namespaceOf(region)}:fs.file:vf.${token}?version=${number}`;
}
