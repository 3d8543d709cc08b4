import type { ConnectorDb } from "../../supabase/functions/_shared/db/connector_db.ts";
import type { Core } from "./fake_core.ts";
import { unseenOf, write } from "./fake_endpoint.ts";

/** What a listing has not shown, and what becomes of it. */
export function fakeAbsences(core: Core): Pick<
  ConnectorDb,
  "absentItems" | "noteAbsences" | "sweep"
> {
  return {
    async absentItems(lease, limit) {
      await core.enter("absentItems", lease);
      const endpoint = core.held(lease);
      core.extend(endpoint);
      const { listing } = endpoint;
      if (!listing?.confirmsAbsence || listing.tasks.size > 0) return { held: null, items: [] };
      const unseen = unseenOf(endpoint, listing);
      if (unseen.length > core.insides.sweeping.fuse) return { held: unseen.length, items: [] };
      const items = unseen.slice(0, limit).map((id) => ({
        external_id: id,
        is_folder: false,
        external_parent_id: endpoint.files.get(id)?.external_parent_id ?? null,
      }));
      return { held: null, items };
    },

    async noteAbsences(lease, verdicts) {
      await core.enter("noteAbsences", lease);
      const endpoint = core.held(lease);
      core.extend(endpoint);
      write(endpoint, { ...verdicts, files: verdicts.present_files });
      const gone = [...verdicts.gone, ...verdicts.filtered]
        .filter((id) => endpoint.files.delete(id));
      gone.forEach((id) => endpoint.deleted.set(id, "removed"));
      for (const { external_id, code } of verdicts.unknown) {
        endpoint.listing?.absences.set(external_id, code);
      }
      return { deleted: gone.length };
    },

    async sweep(lease) {
      await core.enter("sweep", lease);
      const endpoint = core.held(lease);
      core.extend(endpoint);
      const { listing } = endpoint;
      if (!listing?.isFull || listing.tasks.size > 0) {
        return { deleted: 0, held: null, more: false };
      }
      const unseen = unseenOf(endpoint, listing);
      if (unseen.length > core.insides.sweeping.fuse) {
        return { deleted: 0, held: unseen.length, more: false };
      }
      const gone = unseen.slice(0, core.insides.sweeping.limit);
      for (const id of gone) {
        endpoint.files.delete(id);
        endpoint.deleted.set(id, "removed");
      }
      return {
        deleted: gone.length,
        held: null,
        more: gone.length === core.insides.sweeping.limit,
      };
    },
  };
}
