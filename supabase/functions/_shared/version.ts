/** The version of the functions: that of deno.json, which functions cannot read where they run. */
export const VERSION = "0.1.0";
