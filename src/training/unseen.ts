/**
 * What a model says of events that it has not seen: every posts' logits by a further model that was trained without their
 * event. What users meet is a new event, so it is from these logits that a model is calibrated and thresholded; on
 * dev, which has the events of train, it would promise what it cannot keep.
 */
import { createVictim } from '../adversarial/victim.ts';
import type { Calibration, Metrics } from '../models/manifest.ts';
import { groupClaims, perClaim } from './claims.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import type { Robust } from './evaluation.ts';
import type { Comparison, Fitted } from './fit.ts';
import { membersOf, type PictureHashes } from './groups.ts';
import { type Answered, attackedWords, readsWordsAlone, spaceFor, textPosts } from './harden.ts';
import { trainLogistic } from './logistic.ts';
import { calibrate, measure, type Scored, sigmoid } from './measure.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
import type { Pictures } from './pictures.ts';
import { type Calibrations, isPictured, type Scoring, show, yesLogit, yesLogits } from './score.ts';
import { pick, type Split, splitBy } from './splits.ts';
import { targetOf } from './tasks.ts';

export interface Unseen {
  /** A claim counts once, with the mean logit of its posts, as the product adds them up. */
  readonly calibration: Calibrations;
  /** What counts once: a claim where the task is about claims, else a post. */
  readonly unit: 'claim' | 'post';
  /** One calibrated answer a claim, or a post. */
  readonly claims: Scored;
  readonly events: number;
  readonly posts: number;
  /** The posts one by one as they are and as the adaptive word attack leaves them; null where it does not apply. */
  readonly robust: Robust | null;
  /** The posts of each event: the model calibrated by those of the other events alone, the plain models as they are. */
  readonly byEvent: Readonly<Record<string, Comparison>>;
}

/** One post's logits by what its network was shown; null for a post without a picture. */
interface Row {
  readonly example: Example;
  readonly label: 0 | 1;
  readonly text: number;
  readonly image: number | null;
  readonly both: number | null;
  /** The logit once Eq. 2 has replaced words, crafted on this very network; null where it reads more than words. */
  readonly attacked: number | null;
  /** Probabilities by plain models that saw the same training posts. */
  readonly plain: { readonly naiveBayes: number; readonly logistic: number; readonly majority: number };
}

/** What becomes of a calibration before it serves (as-often.ts). */
export type Settle = (own: Calibrations) => Calibrations;

/**
 * @param data what may be looked at: train and dev, never test
 * @param folds models; each is trained without the events of one fold
 */
export async function answerUnseen(
  data: Dataset,
  { folds, seed, hashes }: { readonly folds: number; readonly seed: number; readonly hashes: PictureHashes },
  pictures: Pictures,
  fitOn: (split: Split) => Promise<Fitted>,
  settle: Settle,
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
  const unit = data.task === 'rumour' ? 'claim' : 'post';
  const claimsOf: GroupRows = (some) =>
    unit === 'claim'
      ? groupClaims(
          some.map(({ example }) => example),
          hashes,
        )
      : Int32Array.from(some.keys());
  const calibration = settle(calibrationOf(rows, claimsOf));
  const events = [...new Set(rows.map(({ example }) => example.event))].sort();
  return {
    calibration,
    unit,
    claims: perClaim(scoredBy(rows, calibration), claimsOf(rows)),
    events: events.length,
    posts: rows.length,
    robust: robustOf(rows, calibration),
    byEvent: Object.fromEntries(
      events.map((event) => {
        const others = rows.filter(({ example }) => example.event !== event);
        const own = rows.filter(({ example }) => example.event === event);
        const plainly = (of: keyof Row['plain']): Metrics =>
          measure({ probability: own.map(({ plain }) => plain[of]), label: labelsOf(own) });
        const figures: Comparison = {
          model: measure(scoredBy(own, settle(calibrationOf(others, claimsOf)))),
          naiveBayes: plainly('naiveBayes'),
          logistic: plainly('logistic'),
          majority: plainly('majority'),
        };
        return [event, figures];
      }),
    ),
  };
}

/** The claim of each row. */
type GroupRows = (rows: readonly Row[]) => Int32Array;

function calibrationOf(rows: readonly Row[], claimsOf: GroupRows): Calibrations {
  const of = (which: 'text' | 'image' | 'both'): Calibration | null => {
    const some = rows.filter((row) => row[which] !== null);
    return some.length === 0 ? null : calibrateByClaim(some, which, claimsOf(some));
  };
  return { text: of('text'), image: of('image'), both: of('both') };
}

const scoredBy = (rows: readonly Row[], calibration: Calibrations): Scored => ({
  probability: rows.map((row) => probabilityOf(row, calibration)),
  label: labelsOf(rows),
});

const labelsOf = (rows: readonly Row[]): (0 | 1)[] => rows.map(({ label }) => label);

function robustOf(rows: readonly Row[], { text }: Calibrations): Robust | null {
  if (rows.some(({ attacked }) => attacked === null)) return null;
  const { scale, bias } = text ?? { scale: 1, bias: 0 };
  const figures = (some: readonly Row[], logit: (row: Row) => number): Metrics =>
    measure({ probability: some.map((row) => sigmoid(scale * logit(row) + bias)), label: labelsOf(some) });
  const both = (some: readonly Row[]): { readonly clean: Metrics; readonly attacked: Metrics } => ({
    clean: figures(some, (row) => row.text),
    attacked: figures(some, (row) => row.attacked ?? 0),
  });
  const events = [...new Set(rows.map(({ example }) => example.event))].sort();
  return {
    ...both(rows),
    byEvent: Object.fromEntries(
      events.map((event) => [event, both(rows.filter(({ example }) => example.event === event))]),
    ),
  };
}

/** Logits of yes after Eq. 2; null where the network reads more than words. */
function attackedLogits(
  { tf, network, head, columns, encoders }: Scoring,
  answered: readonly Answered[],
): number[] | null {
  if (!readsWordsAlone(columns)) return null;
  const space = spaceFor(
    tf,
    encoders,
    answered.map(({ text }) => text),
  );
  const { encode } = encoders.vocabulary;
  const victim = createVictim(tf, { network, head, columns: ['words'], space, encode });
  const logits = victim.logits(attackedWords(tf, victim, textPosts(encoders, answered)));
  const { outputs } = head;
  return answered.map((_, i) => yesLogit(Array.from(logits.subarray(i * outputs, (i + 1) * outputs))));
}

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
  const answered = examples.map((example, i) => ({
    text: (shown[i] as (typeof shown)[number]).text,
    target: targetOf(example.labels, data.task, data.classes)?.slice(-scoring.head.outputs) ?? [],
  }));
  const attacked = attackedLogits(scoring, answered);
  const task = binaryTaskOf(data);
  const seen = pick(data, split.train).map((example) => ({
    text: example.text,
    label: binaryLabel(example, task),
  }));
  const [naiveBayes, logistic] = [trainNaiveBayes(seen), trainLogistic(seen)];
  const majority = seen.filter(({ label }) => label === 1).length / Math.max(1, seen.length);
  return examples.map((example, i) => {
    const pictured = isPictured(shown[i] as (typeof shown)[number]);
    return {
      example,
      label: binaryLabel(example, task),
      text: text[i] as number,
      image: pictured ? (image[i] as number) : null,
      both: pictured ? (both[i] as number) : null,
      attacked: attacked ? (attacked[i] as number) : null,
      plain: { naiveBayes: naiveBayes(example.text), logistic: logistic(example.text), majority },
    };
  });
}

function calibrateByClaim(
  rows: readonly Row[],
  which: 'text' | 'image' | 'both',
  claims: Int32Array,
): Calibration {
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
