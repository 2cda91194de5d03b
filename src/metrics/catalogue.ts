/** Every metric that Tocsin has, in one place: name, type, labels (closed sets only) and what it says. */

interface Declared {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1, 2.5, 5, 10, 30];
const SCORES: readonly number[] = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);

const declare = <N extends string>(metrics: Readonly<Record<N, Declared>>): Readonly<Record<N, Declared>> =>
  metrics;

export const CATALOGUE: Readonly<Record<MetricName, Declared>> = declare({
  tocsin_events_consumed_total: {
    type: 'counter',
    help: 'Records taken from a topic and committed.',
    labels: ['topic'],
  },
  tocsin_events_emitted_total: {
    type: 'counter',
    help: 'Records written to a topic and committed.',
    labels: ['topic'],
  },
  tocsin_outcomes_total: {
    type: 'counter',
    help: 'Inputs by what became of them.',
    labels: ['service', 'outcome', 'reason'],
  },
  tocsin_dlq_events_total: {
    type: 'counter',
    help: 'Dead letters by reason.',
    labels: ['service', 'reason'],
  },
  tocsin_stage_duration_seconds: {
    type: 'histogram',
    help: 'Time a stage took for one batch.',
    labels: ['stage'],
    buckets: SECONDS,
  },
  tocsin_slice_duration_seconds: {
    type: 'histogram',
    help: 'Time from taking a slice to its commit.',
    labels: ['service'],
    buckets: SECONDS,
  },
  tocsin_slice_records: {
    type: 'histogram',
    help: 'Records in a slice.',
    labels: ['service'],
    buckets: [1, 4, 16, 64, 128, 256, 512, 1024],
  },
  tocsin_slice_failures_total: {
    type: 'counter',
    help: 'Slices that were given up and will be taken again.',
    labels: ['service', 'reason'],
  },
  tocsin_end_to_end_latency_seconds: {
    type: 'histogram',
    help: 'From the arrival of an event to its committed label.',
    labels: ['revision'],
    buckets: SECONDS,
  },
  tocsin_last_event_timestamp_seconds: {
    type: 'gauge',
    help: 'Wall clock of the last committed record.',
    labels: ['topic'],
  },
  tocsin_consumer_lag_records: {
    type: 'gauge',
    help: 'Records not yet worked on.',
    labels: ['topic', 'partition'],
  },
  tocsin_ledger: {
    type: 'gauge',
    help: 'The ledger, summed over the partitions that this process sees.',
    labels: ['entry'],
  },
  tocsin_ledger_imbalance: {
    type: 'gauge',
    help: 'received - labelled - filtered - duplicate - dead; anything but 0 is a fault.',
    labels: [],
  },
  tocsin_prediction_score: {
    type: 'histogram',
    help: 'Distribution of scores.',
    labels: ['task'],
    buckets: SCORES,
  },
  tocsin_join_let_go_total: {
    type: 'counter',
    help: 'Entries that left a full join memory before their window was over.',
    labels: [],
  },
  tocsin_inference_duration_seconds: {
    type: 'histogram',
    help: 'Time for one micro-batch.',
    labels: ['model', 'backend'],
    buckets: SECONDS,
  },
  tocsin_encoder_samples_total: {
    type: 'counter',
    help: 'Texts and pictures that were encoded, or whose vectors were in the cache.',
    labels: ['modality', 'result'],
  },
  tocsin_model_info: {
    type: 'gauge',
    help: '1 for the model in use, 0 for one that was.',
    labels: ['model', 'version', 'backend'],
  },
  tocsin_model_sequence: {
    type: 'gauge',
    help: 'Sequence of the desired state in force; 0 for the shipped models.',
    labels: ['service'],
  },
  tocsin_model_swaps_total: {
    type: 'counter',
    help: 'Desired states that came into force while the worker ran.',
    labels: ['service'],
  },
  tocsin_model_refusals_total: {
    type: 'counter',
    help: 'Desired states that did not come into force, by error code; the models before went on.',
    labels: ['service', 'reason'],
  },
  tocsin_model_swap_duration_seconds: {
    type: 'histogram',
    help: 'Time to open the models of a state (open), and until the old ones were drained and closed (drain).',
    labels: ['service', 'step'],
    buckets: SECONDS,
  },
  tocsin_shadow_difference: {
    type: 'histogram',
    help: "How far the challenger's probability is from the champion's, on sampled posts.",
    labels: ['task'],
    buckets: SCORES,
  },
  tocsin_shadow_failures_total: {
    type: 'counter',
    help: 'Batches that the challenger could not score; the champion answered.',
    labels: ['task'],
  },
  tocsin_desired_sequence: {
    type: 'gauge',
    help: 'Sequence of the desired state that the gate announced last.',
    labels: [],
  },
  tocsin_promotions_total: {
    type: 'counter',
    help: 'Changes of the desired state by what they did.',
    labels: ['action'],
  },
  tocsin_gate_queries_total: {
    type: 'counter',
    help: 'Candidates that were judged on the vault.',
    labels: ['result'],
  },
  tocsin_gate_refused_in_row: {
    type: 'gauge',
    help: 'Candidates refused since one passed, or since the gate began.',
    labels: [],
  },
  tocsin_gate_step_timestamp_seconds: {
    type: 'gauge',
    help: 'Wall clock at which the challenger came to its step, shadow or canary; 0 without one.',
    labels: ['task'],
  },
  tocsin_gate_refusals_total: {
    type: 'counter',
    help: 'What the gate refused: candidates, requests, states that it did not sign.',
    labels: ['what'],
  },
  tocsin_image_fetch_total: {
    type: 'counter',
    help: 'Pictures by how they were had or why they were refused.',
    labels: ['result'],
  },
  tocsin_image_decode_seconds: {
    type: 'histogram',
    help: 'Time to check, decode and hash a picture.',
    labels: [],
    buckets: SECONDS,
  },
  tocsin_decoder_restarts_total: {
    type: 'counter',
    help: 'Deaths of the process that fetches and decodes.',
    labels: ['reason'],
  },
  tocsin_claims: { type: 'gauge', help: 'Claims in the index.', labels: [] },
  tocsin_alerts_total: {
    type: 'counter',
    help: 'Alerts raised for coordinators.',
    labels: ['rule', 'state'],
  },
  tocsin_ws_clients: { type: 'gauge', help: 'Connected dashboards.', labels: [] },
  tocsin_ws_dropped_total: {
    type: 'counter',
    help: 'Messages not sent to a slow dashboard.',
    labels: ['reason'],
  },
  tocsin_http_posts_total: { type: 'counter', help: 'Posts taken in over HTTP.', labels: ['result'] },
  tocsin_sidecar_samples: {
    type: 'gauge',
    help: 'Posts that people ruled on, at the last round: admitted to training, or in quarantine by reason.',
    labels: ['state'],
  },
  tocsin_sidecar_buffer_posts: {
    type: 'gauge',
    help: "Posts in the sidecar's buffer on which people ruled.",
    labels: [],
  },
  tocsin_sidecar_crafted_total: {
    type: 'counter',
    help: 'Adversarial samples that were crafted against the champion.',
    labels: ['attack'],
  },
  tocsin_sidecar_rounds_total: {
    type: 'counter',
    help: 'Rounds of the sidecar by what began them, and those that failed.',
    labels: ['reason'],
  },
  tocsin_sidecar_candidates_total: {
    type: 'counter',
    help: 'What rounds ended with: a candidate for the gate, or none, because it would lose too much or gain too little on dev.',
    labels: ['outcome'],
  },
  tocsin_sidecar_round_seconds: { type: 'gauge', help: 'How long the last round took.', labels: [] },
  tocsin_sidecar_paused: {
    type: 'gauge',
    help: '1 while the sidecar rests because the label worker lags.',
    labels: [],
  },
  tocsin_sidecar_drift: {
    type: 'gauge',
    help: 'Distance of the newest labels from the reference: stability index of the answers, KS of scores and of words.',
    labels: ['figure'],
  },
  tocsin_sidecar_drift_alarms_total: {
    type: 'counter',
    help: 'Times that the labels drifted from their reference.',
    labels: [],
  },
});

export type MetricName =
  | 'tocsin_events_consumed_total'
  | 'tocsin_events_emitted_total'
  | 'tocsin_outcomes_total'
  | 'tocsin_dlq_events_total'
  | 'tocsin_stage_duration_seconds'
  | 'tocsin_slice_duration_seconds'
  | 'tocsin_slice_records'
  | 'tocsin_slice_failures_total'
  | 'tocsin_end_to_end_latency_seconds'
  | 'tocsin_last_event_timestamp_seconds'
  | 'tocsin_consumer_lag_records'
  | 'tocsin_ledger'
  | 'tocsin_ledger_imbalance'
  | 'tocsin_prediction_score'
  | 'tocsin_join_let_go_total'
  | 'tocsin_inference_duration_seconds'
  | 'tocsin_encoder_samples_total'
  | 'tocsin_model_info'
  | 'tocsin_model_sequence'
  | 'tocsin_model_swaps_total'
  | 'tocsin_model_refusals_total'
  | 'tocsin_model_swap_duration_seconds'
  | 'tocsin_shadow_difference'
  | 'tocsin_shadow_failures_total'
  | 'tocsin_desired_sequence'
  | 'tocsin_promotions_total'
  | 'tocsin_gate_queries_total'
  | 'tocsin_gate_refused_in_row'
  | 'tocsin_gate_step_timestamp_seconds'
  | 'tocsin_gate_refusals_total'
  | 'tocsin_image_fetch_total'
  | 'tocsin_image_decode_seconds'
  | 'tocsin_decoder_restarts_total'
  | 'tocsin_claims'
  | 'tocsin_alerts_total'
  | 'tocsin_ws_clients'
  | 'tocsin_ws_dropped_total'
  | 'tocsin_http_posts_total'
  | 'tocsin_sidecar_samples'
  | 'tocsin_sidecar_buffer_posts'
  | 'tocsin_sidecar_crafted_total'
  | 'tocsin_sidecar_rounds_total'
  | 'tocsin_sidecar_candidates_total'
  | 'tocsin_sidecar_round_seconds'
  | 'tocsin_sidecar_paused'
  | 'tocsin_sidecar_drift'
  | 'tocsin_sidecar_drift_alarms_total';
