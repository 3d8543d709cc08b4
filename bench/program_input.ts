import type { Drive } from "./drive.ts";
import type { Input } from "./programs/input.ts";
import type { World } from "./world.ts";

/** What a program is told, as its one argument. */
export function programInput(world: World, drive: Drive, endpointId: string): string {
  const input: Input = {
    api_url: world.stack.info.api_url,
    secret_key: world.stack.info.secret_key,
    drive_url: drive.url,
    drive_id: drive.driveId,
    access_token: drive.accessToken,
    endpoint_id: endpointId,
    rounds: world.sizes.rounds,
  };
  return JSON.stringify(input);
}
