import type { SyncStatus } from "../db/connector_db.ts";

/** The text format of https://prometheus.io/docs/instrumenting/exposition_formats/. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = { readonly labels?: Labels; readonly value: number | string | null };

/** Writes the status as metrics. A sample whose value is unknown is left out. */
export function toPrometheus(status: SyncStatus): string {
  return [...overallMetrics(status), ...endpointMetrics(status)].join("");
}

function overallMetrics({ totals, by_status, running, due, ...rest }: SyncStatus): string[] {
  return [
    gauge("endpoints", "Endpoints.", [{ value: totals.endpoints }]),
    gauge(
      "endpoints_by_status",
      "Endpoints by the status of their last sync.",
      Object.entries(by_status).map(([status, value]) => ({ labels: { status }, value })),
    ),
    gauge("files", "Files that are not deleted.", [{ value: totals.files }]),
    gauge("bytes", "Size of these files in bytes.", [{ value: totals.bytes }]),
    gauge("running", "Endpoints being synced now.", [{ value: running }]),
    gauge("due", "Endpoints waiting for a sync.", [{ value: due }]),
    gauge("backlog_seconds", "How long the longest waiting endpoint has been due.", [
      { value: rest.backlog_seconds },
    ]),
    gauge("last_tick_timestamp_seconds", "When the scheduler last ran.", [
      { value: toSeconds(rest.scheduler.last_tick_at) },
    ]),
  ];
}

function endpointMetrics({ endpoints }: SyncStatus): string[] {
  const samples = (value: (endpoint: SyncStatus["endpoints"][number]) => Sample["value"]) =>
    endpoints.map((endpoint) => ({
      labels: { endpoint_id: endpoint.id, name: endpoint.name, type: endpoint.endpoint_type },
      value: value(endpoint),
    }));
  return [
    gauge("endpoint_files", "Files of the endpoint.", samples(({ files }) => files)),
    gauge(
      "endpoint_bytes",
      "Size of the endpoint's files in bytes.",
      samples(({ bytes }) => bytes),
    ),
    gauge("endpoint_enabled", "1: synced by its schedule.", samples(({ enabled }) => +enabled)),
    gauge("endpoint_running", "1: being synced now.", samples(({ is_running }) => +is_running)),
    gauge(
      "endpoint_last_sync_timestamp_seconds",
      "When the endpoint's last sync ended.",
      samples(({ last_sync_at }) => toSeconds(last_sync_at)),
    ),
    gauge(
      "endpoint_next_sync_timestamp_seconds",
      "When the endpoint is due next.",
      samples(({ next_sync_at }) => toSeconds(next_sync_at)),
    ),
    gauge(
      "endpoint_token_expiry_timestamp_seconds",
      "When the endpoint's access token expires.",
      samples(({ token_expires_at }) => toSeconds(token_expires_at)),
    ),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  const metric = `file_connector_${name}`;
  const lines = samples.filter(({ value }) => value !== null).map(({ labels, value }) =>
    `${metric}${formatLabels(labels ?? {})} ${value}\n`
  );
  return `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n${lines.join("")}`;
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function toSeconds(instant: string | null): number | null {
  return instant === null ? null : Date.parse(instant) / 1000;
}
