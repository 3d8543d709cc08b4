import type { ApsServer } from "../../../local/autodesk/server.ts";
import type { DriveServer } from "../../../local/google/server.ts";

/** A provider in which a person has files. */
export interface StagedProvider {
  readonly endpointType: string;
  /** `endpoint_config` of an endpoint that is read as the person. */
  readonly userConfig: Readonly<Record<string, string>>;
  /** `endpoint_config` of an endpoint that is read as the application or its service account. */
  readonly applicationConfigs: readonly Readonly<Record<string, string>>[];
  /** How the consent page is answered. */
  readonly page: {
    readonly url: string;
    readonly accountField: string;
    readonly account: string;
    readonly allow: string;
    readonly deny: string;
  };
  /** Names of the files that the person sees, sorted. */
  readonly files: readonly string[];
  /** What the stack is told of it. */
  readonly settings: Readonly<Record<string, string>>;
  /** Private keys in those settings (PEM), by what they are. */
  readonly privateKeys: Readonly<Record<string, string>>;
  readonly server: DriveServer | ApsServer;
  /** Lets people be sent back to this address. */
  allowCallback(url: string): void;
}

/** The person who connects an account. */
export const PERSON = { email: "pat@example.com", name: "Pat Person" };
/** Somebody else at the same provider. */
export const OTHER = { email: "quinn@example.com", name: "Quinn Other" };

/** A client secret that nothing else contains. */
export function secretText(): string {
  return `secret-${crypto.randomUUID()}`;
}
