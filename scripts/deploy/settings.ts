/** The settings to deploy: what the env file holds, sorted by who reads it. */
import { parseEnv } from "node:util";
import { oneLine } from "../../local/failure.ts";

/** `config.toml` reads it for Vault, functions do not. */
export const FUNCTIONS_URL = "CONNECTOR_FUNCTIONS_URL";
/** Read by functions and by Vault. */
export const DISPATCH_TOKEN = "CONNECTOR_DISPATCH_TOKEN";

const PREFIX = "CONNECTOR_";
/** Names a file of this machine, which a deployed function does not have. */
const FILE_SUFFIX = "_PATH";

/** Settings by name, without the empty ones. */
export type Settings = Readonly<Record<string, string>>;

/** Reads the env file; other variables than the connector's are left alone. */
export async function readSettings(path: string): Promise<Settings | { readonly problem: string }> {
  try {
    const values = parseEnv(await Deno.readTextFile(path));
    const settings = Object.entries(values).flatMap(([name, value]) => {
      const text = value?.trim() ?? "";
      return name.startsWith(PREFIX) && text !== "" ? [[name, text] as const] : [];
    });
    return Object.fromEntries(settings);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      return { problem: `There is no file "${path}": copy .env.example to it and fill it in` };
    }
    return { problem: `Cannot read "${path}": ${oneLine(cause)}` };
  }
}

/** What becomes secrets of the functions. */
export function functionSecrets(settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) =>
      name !== FUNCTIONS_URL && !name.endsWith(FILE_SUFFIX)
    ),
  );
}

/** Settings that name a file where the setting with its content is empty. */
export function filesToInline(settings: Settings): readonly string[] {
  return Object.keys(settings).filter((name) =>
    name.endsWith(FILE_SUFFIX) && settings[name.slice(0, -FILE_SUFFIX.length)] === undefined
  );
}

/** An env file that the Supabase CLI, whose parser knows no escaped quote, reads back as it was. */
export function writeEnvFile(settings: Settings): string {
  return Object.entries(settings).map(([name, value]) => `${name}=${quote(value)}\n`).join("");
}

/** Whether {@linkcode writeEnvFile} can write this value. */
export function isWritable(value: string): boolean {
  return isLiteral(value) || isJson(value) || !/["\\$]/.test(value);
}

/** Single quotes take everything as it is, but for what ends them. */
function isLiteral(value: string): boolean {
  return !value.includes("'") && !value.endsWith("\\");
}

function quote(value: string): string {
  if (isLiteral(value)) return `'${value}'`;
  // JSON has another way to write the one character that ends the quotes.
  return isJson(value) ? `'${value.replaceAll("'", "\\u0027")}'` : `"${value}"`;
}

function isJson(value: string): boolean {
  try {
    return typeof JSON.parse(value) === "object";
  } catch {
    // Plain text.
    return false;
  }
}
