/** Run by each Deno: POSTs to the address it is given while the runtime keeps a connection to it. */
import { freshFetch } from "../../supabase/functions/_shared/http/fresh_fetch.ts";

const [url = ""] = Deno.args;
const kept = await fetch(url, { method: "POST", body: "first" });
await kept.text();
let outcome = "answered";
try {
  const body = new URLSearchParams({ refresh_token: "used once" });
  await freshFetch(url, { method: "POST", body, redirect: "error" });
} catch (error) {
  outcome = error instanceof Error ? error.name : String(error);
}
Deno.stdout.writeSync(new TextEncoder().encode(outcome));
Deno.exit(0);
