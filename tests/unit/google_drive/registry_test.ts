import { deepEqual, equal, throws } from "node:assert/strict";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { getProvider, PROVIDERS } from "../../../supabase/functions/_shared/providers/registry.ts";

Deno.test("getProvider() finds a provider by endpoint_type", () => {
  equal(getProvider("google_drive"), googleDrive);
});

Deno.test("getProvider() names what it knows when it does not know a type", () => {
  const message = /endpoint_type must be "google_drive".*: current value is "dropbox"$/;
  throws(() => getProvider("dropbox"), { code: "config_invalid", message });
});

Deno.test("every provider has a key of its own", () => {
  const keys = PROVIDERS.map(({ key }) => key);
  deepEqual(keys, [...new Set(keys)]);
});
