/** Who may import whom (architecture §4): imports go down only, and some packages have a single door. */
const stages = ['ingest', 'normalise', 'embed', 'score', 'emit'];
/** Commands that may train, judge or attack in their own process; all others serve or look. main.ts only loads them. */
const trainers = [
  'main',
  'train',
  'evaluate',
  'attack',
  'assessment',
  'choice-flags',
  'bench',
  'backend-flag',
  'doctor',
  'examine',
  'reproduce',
  'sidecar',
  'judge',
];
const layer = {
  event: 0,
  base: 0,
  config: 1,
  metrics: 1,
  bus: 2,
  pipeline: 2,
  models: 2,
  ingest: 3,
  normalise: 3,
  embed: 3,
  score: 3,
  emit: 3,
  claims: 3,
  scoring: 3,
  media: 3,
  archive: 3,
  registry: 3,
  training: 3,
  adversarial: 3,
  // The gate's judgement: attacks, trained models and vault together.
  judge: 4,
  replay: 4,
  sidecar: 4,
  dashboard: 4,
  cli: 5,
};
const folders = Object.keys(layer);

/** A folder may import itself, everything below it, and the neighbours listed here (with the reason). */
const neighbours = {
  base: ['event'],
  metrics: ['config'],
  pipeline: ['bus'],
  archive: ['media'], // how large a picture may be
  // A run ends as an artefact; training reads what the product's normaliser and picture decoder write.
  training: ['registry', 'normalise', 'archive', 'media', 'adversarial'],
  registry: [],
};

const upward = folders.map((from) => ({
  name: `${from}-imports-down-only`,
  severity: 'error',
  comment: `src/${from} may import only itself, what lies below it${neighbours[from]?.length ? ` and ${neighbours[from].join(', ')}` : ''}.`,
  from: { path: `^src/${from}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/${from}/`,
      ...folders
        .filter((to) => layer[to] < layer[from] || neighbours[from]?.includes(to))
        .map((to) => `^src/${to}/`),
    ],
  },
}));

const door = (name, packages, path) => ({
  name,
  severity: 'error',
  comment: `Only ${path} may import ${packages.join(', ')}.`,
  from: { path: '^src/', pathNot: path },
  to: { path: packages.map((p) => `node_modules/${p}(/|$)`) },
});

module.exports = {
  forbidden: [
    ...upward,
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    {
      name: 'stages-do-not-know-each-other',
      severity: 'error',
      from: { path: `^src/(${stages.join('|')})/` },
      to: { path: `^src/(${stages.join('|')})/`, pathNot: '^src/$1/' },
    },
    { name: 'no-unresolvable', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
    {
      name: 'no-test-code-in-product',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'serving-never-loads-the-engine',
      severity: 'error',
      comment:
        'tfjs-node blocks its thread for a whole step; what serves runs on ONNX Runtime (src/models/serving). Only the commands listed in `trainers` may reach a file of the engine.',
      from: { path: `^src/cli/(?!(${trainers.join('|')})\\.ts$)|-(thread|process)\\.ts$` },
      to: { path: '^src/models/engine/(engine|native|wasm)\\.ts$', reachable: true },
    },
    {
      name: 'one-command-signs',
      severity: 'error',
      comment: 'Only the gate may reach the signing key (architecture §5–7).',
      from: { path: '^src/', pathNot: '^src/cli/gate\\.ts$' },
      to: { path: '^src/registry/signing\\.ts$' },
    },
    {
      name: 'sidecar-neither-signs-nor-judges',
      severity: 'error',
      comment: 'The sidecar hands candidates over; signing key and vault are the business of the gate alone.',
      from: { path: '^src/(sidecar/|cli/sidecar\\.ts$)' },
      to: { path: '^src/(judge/|registry/(sign(ing|er)\\.ts|vault|gate))', reachable: true },
    },
    door('kafka-single-door', ['kafkajs'], '^src/bus/kafka/'),
    door('lmdb-two-doors', ['lmdb'], '^src/(bus/embedded/|models/encoders/cache\\.ts)'), // the bus and the vectors on disk
    door(
      'models-single-door',
      ['@tensorflow', 'onnxruntime-node', 'onnx-proto'],
      '^src/(models|training|adversarial)/',
    ),
    door('encoders-single-door', ['@huggingface/tokenizers', 'compromise'], '^src/models/encoders/'),
    door('prometheus-single-door', ['prom-client'], '^src/metrics/'),
    door('sharp-single-door', ['sharp'], '^src/media/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/dashboard/ui/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
