/** A retrained network as a candidate in the registry: a whole artefact without a signature, for the gate to judge. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ARTEFACT_FILES, sha256Of } from '../models/artefact.ts';
import { describeEngine } from '../models/engine/engine.ts';
import type { Manifest } from '../models/manifest.ts';
import { saveNetwork } from '../models/network-files.ts';
import { NORMALISER_VERSION } from '../normalise/text.ts';
import { writeArtefact } from '../registry/artefact.ts';
import { servingFiles } from '../training/serving-files.ts';
import { encodeSplit } from '../training/splits.ts';
import type { Engine } from './champion.ts';
import type { PlannedRow, RoundPlan } from './plan.ts';
import type { Retrained } from './retrain.ts';

export interface Candidate {
  readonly dir: string;
  readonly version: string;
}

/**
 * Writes `dir`/VERSION. The same round gives the same version, so one that is there already is what this round left before it
 * was killed.
 * @param dir candidates/TASK of the registry; the sidecar alone writes here
 */
export async function writeCandidate(
  engine: Engine,
  plan: RoundPlan,
  retrained: Retrained,
  { dir, codeVersion }: { readonly dir: string; readonly codeVersion: string },
): Promise<Candidate> {
  const { tf, vocabulary, vectors } = engine;
  const { opened, options, weighing, result, calibration, metrics, robustness } = retrained;
  const { network, architecture, config, artefact } = opened;
  const { head, dims } = artefact.manifest.architecture;
  const saved = await saveNetwork(tf, network.layers);
  const version = `r${plan.number}-${sha256Of(saved.weights).slice(0, 8)}`;
  const trained = [...plan.train, ...plan.replay];
  const trainIds = [...plan.split.train, ...trained.map(({ id }) => id)];
  const split = encodeSplit({ ...plan.split, train: [...new Set(trainIds)].sort() });
  const { files: _, ...parent } = artefact.manifest;
  const manifest: Omit<Manifest, 'files'> = {
    ...parent,
    version,
    normaliser: NORMALISER_VERSION,
    calibration: { text: calibration, image: null, both: null },
    data: plan.data,
    split: {
      protocol: plan.split.protocol,
      seed: plan.split.seed,
      sha256: split.sha256,
      train: trained.length,
      dev: plan.dev.length,
      test: plan.test.length,
    },
    training: {
      seed: plan.seed,
      engine: describeEngine(tf),
      epochs: result.epochs,
      bestEpoch: result.bestEpoch,
      options: { ...options, shareOfNewWeights: weighing.share },
    },
    codeVersion,
    parent: plan.parent,
    provenance: { ...provenanceOf(trained), crafted: retrained.crafted },
    round: plan.round,
    metrics,
  };
  const encoders = {
    vocabulary,
    wordVectors: vectors,
    text: null,
    image: null,
    tagger: null,
    close: nothing,
  };
  const files = {
    [ARTEFACT_FILES.network]: saved.json,
    [ARTEFACT_FILES.weights]: saved.weights,
    ...(await servingFiles(tf, { network, model: { architecture, config, head }, dims, encoders })),
    [ARTEFACT_FILES.split]: split.json,
    [ARTEFACT_FILES.evaluation]: `${JSON.stringify({ round: plan.round, reason: plan.reason, robustness, weighing, history: result.history }, null, 1)}\n`,
    [ARTEFACT_FILES.card]: card(manifest, plan, retrained),
  };
  const target = join(dir, version);
  await removeTorn(dir);
  if (!(await isThere(target))) await writeArtefact(target, files, manifest);
  return { dir: target, version };
}

/** Most authors, and most sources in an hour, that a manifest names: those with the most samples. */
const NAMED = 20;

/** Samples by where they are from, and how many the authors and source hours with the most of them gave. */
function provenanceOf(train: readonly PlannedRow[]): Record<string, number> {
  const human = train.filter(({ provenance }) => provenance === 'human');
  const most = (kind: string, keyOf: (row: PlannedRow) => string): [string, number][] => {
    const counts = new Map<string, number>();
    for (const row of human) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1);
    return [...counts]
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, NAMED)
      .map(([key, count]) => [`${kind}:${key}`, count]);
  };
  return Object.fromEntries([
    ['seed', train.length - human.length],
    ['human', human.length],
    ...most('author', ({ from }) => from?.author ?? ''),
    ...most('source-hour', ({ from }) => from?.sourceHour ?? ''),
  ]);
}

const nothing = async (): Promise<void> => {};

const isThere = (path: string): Promise<boolean> =>
  stat(join(path, ARTEFACT_FILES.manifest)).then(
    () => true,
    () => false,
  );

/** Folders that were being written when the process died. */
async function removeTorn(dir: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => []))
    if (name.startsWith('.')) await rm(join(dir, name), { recursive: true, force: true });
}

const percent = (value: number): string => (100 * value).toFixed(1);

function card(
  { name, version, provenance, metrics }: Omit<Manifest, 'files'>,
  plan: RoundPlan,
  { weighing, robustness: { champion, candidate } }: Retrained,
): string {
  const { seed = 0, human = 0, crafted = 0 } = provenance ?? {};
  return `# ${name} ${version}

Made by the sidecar in round ${plan.round} (reason: ${plan.reason}) from the champion ${plan.parent.slice(0, 12)}…,
trained on ${seed} posts of ${plan.data.name}, ${human} posts that people ruled on and ${crafted} samples that were crafted
against that champion, and on the same posts as Eq. 2 leaves them on the network in training. Of the weights ${percent(weighing.share)} % are the
trained ones, the rest the champion's: the most robust share that surely costs little on dev.

| balanced accuracy on dev (${plan.dev.length} posts) | champion | this model |
| --- | --- | --- |
| as they are | ${percent(champion.clean)} | ${percent(candidate.clean)} |
| words replaced by MMAT Eq. 2 on the model itself | ${percent(champion.attacked)} | ${percent(candidate.attacked)} |

On test (${metrics.test.n} posts, nothing was chosen by them): macro-F1 ${percent(metrics.test.macroF1.value)}, calibration error ${percent(metrics.test.ece)}.
Robust means: within these budgets, against these attacks. What this model does under attacks that it was not trained on
is the gate's question.
`;
}
