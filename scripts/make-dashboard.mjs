#!/usr/bin/env node
/**
 * Makes grafana/dashboards/tocsin-overview.json. The panels stand here because JSON of that length cannot be reviewed.
 *
 *   node scripts/make-dashboard.mjs            writes it
 *   node scripts/make-dashboard.mjs --check    whether the committed one is what would be written
 */
import { readFileSync, writeFileSync } from 'node:fs';

const OUT = new URL('../grafana/dashboards/tocsin-overview.json', import.meta.url);
const EVENTS = '{topic="crisis.events.v1"}';
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana that fills this in
const datasource = { type: 'prometheus', uid: '${datasource}' };

let id = 0;
let x = 0;
let y = 0;
let rowHeight = 0;

/** Places panels from left to right in a grid 24 wide. */
function place(w, h) {
  if (x + w > 24) {
    x = 0;
    y += rowHeight;
    rowHeight = 0;
  }
  const at = { x, y, w, h };
  x += w;
  rowHeight = Math.max(rowHeight, h);
  return at;
}

/** @param queries [expression, legend] pairs */
function panel(type, title, description, queries, { w = 8, h = 8, unit = 'short', ...more } = {}) {
  id += 1;
  const { thresholds, options, custom, format, min, max } = more;
  return {
    id,
    type,
    title,
    description,
    datasource,
    gridPos: place(w, h),
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      expr,
      legendFormat,
      ...(format ? { format } : {}),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(thresholds ? { thresholds: { mode: 'absolute', steps: thresholds } } : {}),
        ...(custom ? { custom } : {}),
      },
      overrides: [],
    },
    options: options ?? {},
  };
}

const stat = (title, description, expr, more = {}) =>
  panel('stat', title, description, [[expr, '']], {
    w: 4,
    h: 4,
    options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'area' },
    ...more,
  });

const graph = (title, description, queries, more = {}) =>
  panel('timeseries', title, description, queries, {
    min: 0,
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    ...more,
  });

const stacked = { fillOpacity: 30, stacking: { mode: 'normal' } };
const green = { color: 'green', value: null };
const quantile = (q, metric, by) =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${metric}_bucket[$__rate_interval])))`;

const panels = [
  stat(
    'Events',
    'Events labelled per second.',
    `sum(rate(tocsin_events_consumed_total${EVENTS}[$__rate_interval]))`,
    {
      unit: 'cps',
    },
  ),
  stat('Waiting', 'Posts that are in but not yet labelled.', 'sum(tocsin_consumer_lag_records)', {
    thresholds: [green, { color: 'yellow', value: 1000 }, { color: 'red', value: 10000 }],
  }),
  stat(
    'Since the last event',
    'A quiet source and a dead one look alike.',
    `time() - max(tocsin_last_event_timestamp_seconds${EVENTS})`,
    {
      unit: 's',
      thresholds: [green, { color: 'yellow', value: 300 }, { color: 'red', value: 600 }],
    },
  ),
  stat(
    'Ledger',
    'received - labelled - filtered - duplicate - dead. Anything but 0 is a fault.',
    'max(abs(tocsin_ledger_imbalance))',
    {
      thresholds: [green, { color: 'red', value: 1 }],
    },
  ),
  stat('Dead letters', 'In the time range shown.', 'sum(increase(tocsin_dlq_events_total[$__range]))', {
    thresholds: [green, { color: 'yellow', value: 1 }],
  }),
  stat('Claims', 'Claims in the index.', 'sum(tocsin_claims)'),

  graph(
    'What became of the events',
    'Every input ends as exactly one outcome.',
    [
      [
        'sum by (outcome, reason) (rate(tocsin_outcomes_total{service="label"}[$__rate_interval]))',
        '{{outcome}} {{reason}}',
      ],
    ],
    { w: 12, unit: 'cps', custom: stacked },
  ),
  graph(
    'From event to label',
    'Arrival to committed label; revision 1 is the text, revision 2 comes with the pictures.',
    [
      [quantile(0.5, 'tocsin_end_to_end_latency_seconds', 'revision'), 'p50 revision {{revision}}'],
      [quantile(0.95, 'tocsin_end_to_end_latency_seconds', 'revision'), 'p95 revision {{revision}}'],
      [quantile(0.99, 'tocsin_end_to_end_latency_seconds', 'revision'), 'p99 revision {{revision}}'],
    ],
    { w: 12, unit: 's' },
  ),

  graph('Ledger', 'Sums over all partitions since the environment was made.', [
    ['max by (entry) (tocsin_ledger)', '{{entry}}'],
  ]),
  graph('Waiting', 'Records not yet worked on.', [
    ['sum by (topic) (tocsin_consumer_lag_records)', '{{topic}}'],
  ]),
  graph(
    'Dead letters by reason',
    'crisis.dlq.v1; `tocsin dlq` shows them.',
    [
      [
        'sum by (service, reason) (rate(tocsin_dlq_events_total[$__rate_interval]))',
        '{{service}} {{reason}}',
      ],
    ],
    { unit: 'cps', custom: stacked },
  ),

  graph(
    'Records written',
    'By topic, committed.',
    [['sum by (topic) (rate(tocsin_events_emitted_total[$__rate_interval]))', '{{topic}}']],
    { unit: 'cps' },
  ),
  graph(
    'Slices',
    'From taking a slice to its commit, p95, and slices given up.',
    [
      [quantile(0.95, 'tocsin_slice_duration_seconds', 'service'), 'p95 {{service}}'],
      [
        'sum by (service, reason) (rate(tocsin_slice_failures_total[$__rate_interval]))',
        'failures/s {{service}} {{reason}}',
      ],
    ],
    { unit: 's' },
  ),
  graph(
    'Stages',
    'Time of a stage for one batch, p95.',
    [[quantile(0.95, 'tocsin_stage_duration_seconds', 'stage'), '{{stage}}']],
    { unit: 's' },
  ),

  graph(
    'Pictures',
    'How they were had, or why they were refused.',
    [['sum by (result) (rate(tocsin_image_fetch_total[$__rate_interval]))', '{{result}}']],
    { unit: 'cps', custom: stacked },
  ),
  graph(
    'Decoding',
    'Check, decode and hash a picture; deaths of the process that does it.',
    [
      [
        `histogram_quantile(0.95, sum by (le) (rate(tocsin_image_decode_seconds_bucket[$__rate_interval])))`,
        'p95',
      ],
      ['sum by (reason) (increase(tocsin_decoder_restarts_total[$__rate_interval]))', 'restarts {{reason}}'],
    ],
    { unit: 's' },
  ),
  panel(
    'heatmap',
    'Scores',
    'Distribution of the calibrated scores.',
    [
      [
        'sum by (le) (increase(tocsin_prediction_score_bucket{task="informative"}[$__rate_interval]))',
        '{{le}}',
      ],
    ],
    {
      format: 'heatmap',
      options: { calculate: false, color: { scheme: 'Oranges' }, yAxis: { unit: 'percentunit' } },
    },
  ),

  graph(
    'Inference',
    'One micro-batch, p95.',
    [[quantile(0.95, 'tocsin_inference_duration_seconds', 'model, backend'), '{{model}} {{backend}}']],
    { unit: 's' },
  ),
  graph('Rumour scores', 'Answers of the scorer, and slices of 32 contents, p95.', [
    ['sum(rate(tocsin_events_consumed_total{topic="crisis.scoring.v1"}[$__rate_interval]))', 'contents/s'],
    [
      'histogram_quantile(0.95, sum by (le) (rate(tocsin_slice_duration_seconds_bucket{service="scorer"}[$__rate_interval])))',
      'slice, s',
    ],
  ]),
  graph(
    'Encoders',
    'Texts and pictures of the scorer, encoded or found in its cache.',
    [
      [
        'sum by (modality, result) (rate(tocsin_encoder_samples_total[$__rate_interval]))',
        '{{modality}} {{result}}',
      ],
    ],
    { unit: 'cps', custom: stacked },
  ),
  graph('Dashboards', 'Connected pages, and messages not sent to slow ones.', [
    ['sum(tocsin_ws_clients)', 'connected'],
    ['sum by (reason) (rate(tocsin_ws_dropped_total[$__rate_interval]))', 'dropped/s {{reason}}'],
  ]),
  graph('Alerts for coordinators', 'Raised and resolved.', [
    ['sum by (rule, state) (increase(tocsin_alerts_total[$__rate_interval]))', '{{rule}} {{state}}'],
  ]),

  graph(
    'Posts over HTTP',
    'By result.',
    [['sum by (result) (rate(tocsin_http_posts_total[$__rate_interval]))', '{{result}}']],
    { unit: 'cps', custom: stacked },
  ),
  graph(
    'Memory',
    'Resident set of each process.',
    [['process_resident_memory_bytes{job="tocsin"}', '{{service}}']],
    {
      unit: 'bytes',
    },
  ),
  graph(
    'Event loop',
    '99th percentile of the delay.',
    [['nodejs_eventloop_lag_p99_seconds{job="tocsin"}', '{{service}}']],
    { unit: 's' },
  ),
  graph(
    'Models in force',
    'Sequence of the desired state that each service serves, and states that were refused in the last ten minutes.',
    [
      ['max by (service) (tocsin_model_sequence)', '{{service}}'],
      [
        'sum by (service, reason) (increase(tocsin_model_refusals_total[10m]))',
        '{{service}} refused {{reason}}',
      ],
    ],
  ),
  graph('Gate', 'Verdicts on candidates within the hour, and how many were refused in a row.', [
    ['sum by (result) (increase(tocsin_gate_queries_total[1h]))', '{{result}}'],
    ['max(tocsin_gate_refused_in_row)', 'refused in a row'],
  ]),
  graph('Changes of models', 'What the gate did to the desired state within the hour.', [
    ['sum by (action) (increase(tocsin_promotions_total[1h]))', '{{action}}'],
  ]),
  graph(
    'Rollout',
    'How long a challenger has been in its step, shadow or canary; 0 without one.',
    [
      [
        'max by (task) ((time() - tocsin_gate_step_timestamp_seconds) * (tocsin_gate_step_timestamp_seconds > bool 0))',
        '{{task}}',
      ],
    ],
    { unit: 's' },
  ),
  graph(
    'Drift',
    "Distance of the newest labels from the sidecar's reference, and its alarms within the hour.",
    [
      ['max by (figure) (tocsin_sidecar_drift)', '{{figure}}'],
      ['max(increase(tocsin_sidecar_drift_alarms_total[1h]))', 'alarms'],
    ],
  ),
  graph('Sidecar', 'Rounds within the day by what began them, and whether it rests because labels lag.', [
    ['sum by (reason) (increase(tocsin_sidecar_rounds_total[1d]))', '{{reason}}'],
    ['max(tocsin_sidecar_paused)', 'rests'],
  ]),
  panel('table', 'Models in use', 'What serves where.', [['tocsin_model_info', '']], {
    w: 24,
    h: 5,
    format: 'table',
    options: { showHeader: true },
  }),
];

const dashboard = {
  uid: 'tocsin-overview',
  title: 'Tocsin overview',
  tags: ['tocsin'],
  editable: false,
  graphTooltip: 1,
  refresh: '10s',
  schemaVersion: 39,
  version: 1,
  time: { from: 'now-1h', to: 'now' },
  timezone: 'browser',
  templating: {
    list: [
      { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
    ],
  },
  annotations: {
    list: [
      {
        name: 'Alerts',
        enable: true,
        datasource,
        expr: 'ALERTS{alertname=~"Tocsin.*", alertstate="firing"}',
        titleFormat: '{{alertname}}',
        iconColor: 'red',
      },
    ],
  },
  panels,
};

const text = `${JSON.stringify(dashboard, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(OUT, 'utf8') !== text) {
    console.error(
      'grafana/dashboards/tocsin-overview.json is not what scripts/make-dashboard.mjs writes; run it',
    );
    process.exit(3);
  }
} else {
  writeFileSync(OUT, text);
}
