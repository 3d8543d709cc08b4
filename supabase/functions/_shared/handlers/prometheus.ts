import type { Quotas, SyncStatus } from "../db/connector_db.ts";

/** The text format of https://prometheus.io/docs/instrumenting/exposition_formats/. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = { readonly labels?: Labels; readonly value: number | string | null };

/** Writes the status as metrics. A sample whose value is unknown is left out. */
export function toPrometheus(status: SyncStatus, quotas: Quotas): string {
  return [
    ...overallMetrics(status),
    ...lastHourMetrics(status),
    ...tokenMetrics(status),
    ...quotaMetrics(quotas),
    ...endpointMetrics(status),
  ].join("");
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

/** Samples of a record of counts, the key as a label. */
function byLabel(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

/** Over a sliding hour: these go down again, so they are gauges and no counters. */
function lastHourMetrics({ last_hour: hour }: SyncStatus): string[] {
  const spread = (name: string, help: string, { p50, p95, max }: typeof hour.lag_seconds) =>
    gauge(`last_hour_${name}_seconds`, help, [
      { labels: { percentile: "50" }, value: p50 },
      { labels: { percentile: "95" }, value: p95 },
      { labels: { percentile: "100" }, value: max },
    ]);
  return [
    gauge(
      "last_hour_runs",
      "Runs that ended in the last hour, by status.",
      byLabel("status", hour.runs_by_status),
    ),
    gauge(
      "last_hour_errors",
      "Runs of the last hour that ended with an error, by its code.",
      byLabel("code", hour.errors),
    ),
    gauge(
      "last_hour_provider_calls",
      "Calls to providers in the last hour.",
      byLabel("type", hour.provider_calls),
    ),
    gauge("last_hour_files", "What the runs of the last hour did to files.", [
      { labels: { change: "seen" }, value: hour.files_seen },
      { labels: { change: "added" }, value: hour.files_added },
      { labels: { change: "updated" }, value: hour.files_updated },
      { labels: { change: "deleted" }, value: hour.files_deleted },
    ]),
    spread("lag", "How long after their time the runs of the last hour began.", hour.lag_seconds),
    spread("run", "How long the runs of the last hour took.", hour.run_seconds),
  ];
}

function tokenMetrics({ tokens }: SyncStatus): string[] {
  return [
    gauge(
      "endpoints_by_token_status",
      "Endpoints by the state of their token.",
      byLabel("status", tokens.by_status),
    ),
    gauge(
      "next_grant_refresh_timestamp_seconds",
      "When the first connected account must be refreshed by, lest its connection lapses.",
      [{ value: toSeconds(tokens.next_end_of_grant) }],
    ),
  ];
}

function quotaMetrics(quotas: Quotas): string[] {
  const samples = (value: (quota: Quotas[number]) => number) =>
    quotas.map((quota) => ({ labels: { bucket: quota.bucket }, value: value(quota) }));
  return [
    gauge(
      "quota_units_left",
      "What may be called at once now, in the provider's units.",
      samples((quota) => quota.units_left),
    ),
    gauge(
      "quota_units_per_minute",
      "The quota of a minute, in the provider's units.",
      samples((quota) => quota.units_per_minute),
    ),
    gauge(
      "quota_blocked_seconds",
      "How much longer the provider asked all workers to wait.",
      samples((quota) => quota.blocked_seconds),
    ),
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
