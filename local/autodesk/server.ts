import { serveHttp } from "../emulator/http_server.ts";
import { type ApsEmulator, type ApsEmulatorOptions, createApsEmulator } from "./emulator.ts";

/** What an emulator that listens is made with. */
export interface ApsServerOptions extends ApsEmulatorOptions {
  /** By default a free port. */
  readonly port?: number;
  /** By default this machine alone can reach it. */
  readonly hostname?: string;
}

/** An emulator that is listening. */
export interface ApsServer extends ApsEmulator {
  /** `CONNECTOR_AUTODESK_API_URL`: the base of the data, project and token calls. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** Starts an emulated Autodesk Platform Services on a port of its own. */
export async function startApsEmulator(options: ApsServerOptions = {}): Promise<ApsServer> {
  const emulator = createApsEmulator(options);
  const server = await serveHttp((request) => emulator.fetch(request), {
    port: options.port ?? 0,
    hostname: options.hostname ?? "127.0.0.1",
  });
  return { ...emulator, origin: server.origin, stop: () => server.stop() };
}
