import { createDriveEmulator, type DriveEmulator, type DriveEmulatorOptions } from "./emulator.ts";
import { CONSENT_PATH } from "./oauth_service.ts";
import { serveHttp } from "../emulator/http_server.ts";

/** What an emulator that listens is made with. */
export interface DriveServerOptions extends DriveEmulatorOptions {
  /** By default a free port. */
  readonly port?: number;
  /** By default this machine alone can reach it. */
  readonly hostname?: string;
}

/** An emulator that is listening. */
export interface DriveServer extends DriveEmulator {
  /** `CONNECTOR_GOOGLE_API_URL`: methods lie at `<origin>/drive/v3/…`. */
  readonly origin: string;
  /** `CONNECTOR_GOOGLE_TOKEN_URL`. */
  readonly tokenUrl: string;
  /** `CONNECTOR_GOOGLE_AUTH_URL`. */
  readonly authUrl: string;
  stop(): Promise<void>;
}

/** Starts an emulated Google Drive on a port of its own. */
export async function startDriveEmulator(options: DriveServerOptions = {}): Promise<DriveServer> {
  const emulator = createDriveEmulator(options);
  const server = await serveHttp((request) => emulator.fetch(request), {
    port: options.port ?? 0,
    hostname: options.hostname ?? "127.0.0.1",
  });
  return {
    ...emulator,
    origin: server.origin,
    tokenUrl: `${server.origin}/token`,
    authUrl: server.origin + CONSENT_PATH,
    stop: () => server.stop(),
  };
}
