import type {
  CommittedPage,
  ConnectorDb,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import type { Core } from "./fake_core.ts";
import {
  addTasks,
  committed,
  newListing,
  repeated,
  TASKS_AT_ONCE,
  toStored,
  write,
} from "./fake_endpoint.ts";

/** Listings, their pages, and those of change logs. */
export function fakePages(core: Core): Pick<
  ConnectorDb,
  "startListing" | "commitPage" | "commitChanges" | "openTasks"
> {
  return {
    async startListing(lease, start) {
      await core.enter("startListing", lease);
      const endpoint = core.held(lease);
      core.extend(endpoint);
      endpoint.providerCalls += start.provider_calls;
      const isFull = start.sweep === "everything";
      const listing = newListing(core.nextId(), isFull, start.confirms_absence);
      endpoint.listing = listing;
      endpoint.memory = toStored(start.memory ?? null);
      endpoint.feeds.clear();
      for (const { key, cursor } of start.feeds) {
        endpoint.feeds.set(key, { key, cursor: toStored(cursor), sequence: 0 });
      }
      addTasks(listing, start.walk, start.folders_per_task, start.seeds, core.nextId);
      const tasks = [...listing.tasks.values()];
      return {
        listing: { id: String(listing.id), open_tasks: tasks.length, is_full: isFull },
        tasks: tasks.slice(0, TASKS_AT_ONCE),
      };
    },

    async commitPage(lease, page): Promise<CommittedPage> {
      await core.enter("commitPage", lease, page);
      const endpoint = core.held(lease);
      core.extend(endpoint);
      const { listing } = endpoint;
      const task = listing?.tasks.get(page.task_id);
      if (listing === null || task === undefined || task.sequence !== page.sequence) {
        return repeated(endpoint);
      }
      const counts = write(endpoint, page);
      const { tasks } = listing;
      if (page.next.type === "done") tasks.delete(task.id);
      else {
        const cursor = toStored(page.next.cursor);
        tasks.set(task.id, { ...task, cursor, sequence: task.sequence + 1 });
      }
      const created = addTasks(listing, page.walk, page.folders_per_task, page.seeds, core.nextId);
      return committed(endpoint, counts, created);
    },

    async commitChanges(lease, page): Promise<CommittedPage> {
      await core.enter("commitChanges", lease, page);
      const endpoint = core.held(lease);
      core.extend(endpoint);
      const feed = endpoint.feeds.get(page.feed_key);
      if (feed?.sequence !== page.sequence) return repeated(endpoint);
      const cursor = toStored(page.next.cursor);
      endpoint.feeds.set(feed.key, { ...feed, cursor, sequence: feed.sequence + 1 });
      const counts = write(endpoint, page);
      const gone = page.removed.filter(({ external_id }) => endpoint.files.delete(external_id));
      gone.forEach(({ external_id, reason }) => endpoint.deleted.set(external_id, reason));
      const fresh = page.folders.map(({ external_folder_id }) => external_folder_id);
      if (fresh.length > 0) endpoint.listing ??= newListing(core.nextId(), false);
      const created = endpoint.listing === null
        ? []
        : addTasks(endpoint.listing, fresh, page.folders_per_task, [], core.nextId);
      return committed(endpoint, { ...counts, deleted: gone.length }, created);
    },

    async openTasks(lease, afterId, limit) {
      await core.enter("openTasks", lease);
      const tasks = [...core.held(lease).listing?.tasks.values() ?? []];
      return tasks.filter(({ id }) => id > afterId).toSorted((a, b) => a.id - b.id).slice(0, limit);
    },
  };
}
