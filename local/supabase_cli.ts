/** The Supabase CLI: pinned here and nowhere else. */

/** The npm package and version that every command runs. */
export const SUPABASE_CLI = "supabase@3.1.0";
