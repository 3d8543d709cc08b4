/** How a task of deno.json is run on a machine that has Node.js only, as the README promises. */
export const DENO_TASK = "npx --yes deno task";
