/** Looks for secrets in places, as the search at the end of each test run does. */
import { type Leak, Leaks, type Place, searchTexts } from "../../../local/leaks/places.ts";
import type { Secret } from "../../../local/leaks/secret_forms.ts";
import { SecretIndex } from "../../../local/leaks/secret_index.ts";

/** Finds each secret in each place, as it is and in the usual disguises. */
export async function findLeaks(
  secrets: readonly Secret[],
  places: readonly Place[],
): Promise<Leak[]> {
  const leaks = new Leaks();
  await searchTexts(new SecretIndex(secrets), places, leaks);
  return leaks.all();
}
