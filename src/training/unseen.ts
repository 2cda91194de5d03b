/**
 * What a model says of events that it has not seen: every posts' logits by a further model that was trained without their
 * event. What users meet is a new event, so it is from these logits that a rumour model is calibrated and thresholded; on
 * dev, which has the events of train, it would promise what it cannot keep.
 */
import type { Calibration } from '../models/manifest.ts';
import { groupClaims, perClaim } from './claims.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import type { Fitted } from './fit.ts';
import { membersOf, type PictureHashes } from './groups.ts';
import { calibrate, type Scored, sigmoid } from './measure.ts';
import type { Pictures } from './pictures.ts';
import { type Calibrations, isPictured, show, yesLogits } from './score.ts';
import { pick, type Split, splitBy } from './splits.ts';

export interface Unseen {
  /** By claims: each counts once, with the mean logit of its posts, as the product adds them up. */
  readonly calibration: Calibrations;
  /** One calibrated answer a claim. */
  readonly claims: Scored;
  readonly events: number;
  readonly posts: number;
}

/** One post's logits by what its network was shown; null for a post without a picture. */
interface Row {
  readonly example: Example;
  readonly label: 0 | 1;
  readonly text: number;
  readonly image: number | null;
  readonly both: number | null;
}

/**
 * @param data what may be looked at: train and dev, never test
 * @param folds models; each is trained without the events of one fold
 */
export async function answerUnseen(
  data: Dataset,
  { folds, seed, hashes }: { readonly folds: number; readonly seed: number; readonly hashes: PictureHashes },
  pictures: Pictures,
  fitOn: (split: Split) => Promise<Fitted>,
): Promise<Unseen> {
  const rows: Row[] = [];
  for (let fold = 1; fold <= folds; fold += 1) {
    const split = splitBy(data, `event-fold:${fold}/${folds}`, seed, hashes);
    const fitted = await fitOn(split);
    try {
      rows.push(...(await logitsOf(fitted, data, split, pictures)));
    } finally {
      fitted.network.dispose();
    }
  }
  const of = (which: 'text' | 'image' | 'both'): Calibration | null => {
    const some = rows.filter((row) => row[which] !== null);
    return some.length === 0 ? null : calibrateByClaim(some, which, hashes);
  };
  const calibration = { text: of('text'), image: of('image'), both: of('both') };
  const claims = groupClaims(
    rows.map(({ example }) => example),
    hashes,
  );
  return {
    calibration,
    claims: perClaim(
      { probability: rows.map((row) => probabilityOf(row, calibration)), label: labelsOf(rows) },
      claims,
    ),
    events: new Set(rows.map(({ example }) => example.event)).size,
    posts: rows.length,
  };
}

const labelsOf = (rows: readonly Row[]): (0 | 1)[] => rows.map(({ label }) => label);

async function logitsOf(
  { scoring }: Fitted,
  data: Dataset,
  split: Split,
  pictures: Pictures,
): Promise<Row[]> {
  const examples = pick(data, split.test);
  const shown = await show(examples, [], pictures);
  const text = await yesLogits(
    scoring,
    shown.map((post) => ({ ...post, pixels: null })),
  );
  const image = await yesLogits(
    scoring,
    shown.map((post) => ({ ...post, text: '' })),
  );
  const both = await yesLogits(scoring, shown);
  const task = binaryTaskOf(data);
  return examples.map((example, i) => {
    const pictured = isPictured(shown[i] as (typeof shown)[number]);
    return {
      example,
      label: binaryLabel(example, task),
      text: text[i] as number,
      image: pictured ? (image[i] as number) : null,
      both: pictured ? (both[i] as number) : null,
    };
  });
}

function calibrateByClaim(
  rows: readonly Row[],
  which: 'text' | 'image' | 'both',
  hashes: PictureHashes,
): Calibration {
  const claims = groupClaims(
    rows.map(({ example }) => example),
    hashes,
  );
  const logits = membersOf(claims).map(
    (members) => members.reduce((sum, i) => sum + (rows[i]?.[which] as number), 0) / members.length,
  );
  // Only the claims' labels are wanted here.
  const { label } = perClaim({ probability: rows.map(() => 0.5), label: labelsOf(rows) }, claims);
  return calibrate(logits, label);
}

function probabilityOf(row: Row, calibration: Calibrations): number {
  const { scale, bias } = (row.both === null ? calibration.text : calibration.both) ?? { scale: 1, bias: 0 };
  return sigmoid(scale * (row.both ?? row.text) + bias);
}
