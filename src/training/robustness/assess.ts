/** How an artefact stands up to a suite of attacks on labelled posts, and whether the report may be believed. */
import type { Posts, Victim } from '../../adversarial/attack.ts';
import type { ConstraintName } from '../../adversarial/constraints.ts';
import { pickPosts } from '../../adversarial/posts.ts';
import { checkSanity, SWEEP } from '../../adversarial/sanity.ts';
import {
  type AnyAttack,
  attacksOf,
  encodedAttacksOf,
  runSuite,
  type SuiteName,
  type SuiteOptions,
  type SuiteResult,
} from '../../adversarial/suite.ts';
import type { Reread } from '../../adversarial/text-edit.ts';
import type { WordSpace } from '../../adversarial/word-space.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { seededRandom, shuffled } from '../../base/random.ts';
import type { Artefact } from '../../models/artefact.ts';
import type { Tf } from '../../models/engine/tf.ts';
import type { Manifest } from '../../models/manifest.ts';
import { normaliseText } from '../../normalise/text.ts';
import type { Dataset } from '../dataset.ts';
import type { Encoders } from '../encoders.ts';
import { type Choice, choose, withNetwork } from '../evaluate.ts';
import { openPictures } from '../pictures.ts';
import { spaceOf } from '../reproduce/robust.ts';
import type { Scoring } from '../score.ts';
import { TASKS, targetOf } from '../tasks.ts';
import type { Naming } from './examples.ts';
import { type CrafterFacts, type Robustness, reported, type SweepPoint } from './figures.ts';
import { judgeOf, openPosts, openVictim, type Reads, readsOf, rereader } from './subject.ts';
import { fitTwin } from './twin.ts';
import { openWordRules } from './word-rules.ts';

export interface AssessOptions {
  readonly suite: SuiteName;
  /** Bound of attacks on pictures, pixels being in [0, 1]. */
  readonly epsilon: number;
  /** Neighbours that word attacks consider. */
  readonly candidates: number;
  readonly squareQueries: number;
  /** Posts that the sanity checks look at, drawn by the seed. */
  readonly sanityPosts: number;
  readonly seed: number;
  /** What word attacks must keep; empty for nothing. */
  readonly constraints: readonly ConstraintName[];
}

/** Bound: the field's usual one; neighbours: models.md §1.2. */
export const ASSESS_DEFAULTS: Omit<AssessOptions, 'suite' | 'seed'> = {
  epsilon: 8 / 255,
  candidates: 10,
  squareQueries: 500,
  sanityPosts: 200,
  constraints: [],
};

export interface AssessDeps {
  readonly tf: Tf;
  readonly clock: Clock;
  /** What is being done. */
  readonly report: (line: string) => void;
}

/** An artefact with the encoders that it reads. */
export interface Opened {
  readonly artefact: Artefact;
  readonly encoders: Encoders;
}

/** Another model whose examples are shown to the one that is judged. */
export interface OtherModel extends Opened {
  /** `twin` where it is the undefended one of the same training. */
  readonly kind: 'twin' | 'other';
}

export interface Assessment {
  readonly robustness: Robustness;
  readonly result: SuiteResult;
  readonly posts: Posts;
  readonly naming: Naming;
}

/**
 * Attacks the artefact on the posts of a choice. Throws BAD_USAGE for a choice without posts, for a model that no attack
 * of the suite fits, and for another model that asks for other outputs or encoders.
 */
export async function assess(
  deps: AssessDeps,
  { artefact, encoders }: Opened,
  data: Dataset,
  choice: Choice,
  options: AssessOptions,
  other: OtherModel | null,
): Promise<Assessment> {
  const { tf, clock, report } = deps;
  const { suite, seed, sanityPosts, constraints, ...budget } = options;
  const { manifest } = artefact;
  const began = clock.monotonic();
  const pictures = openPictures();
  const { examples, train, facts } = await choose(artefact, data, choice, pictures);
  const { vocabulary } = encoders;
  const shown = new Set(examples.map(({ id }) => id));
  const unseen = train.flatMap(({ id, text }) => (shown.has(id) ? [] : [text]));
  const rules = constraints.length > 0 ? openWordRules(constraints, vocabulary, unseen) : null;
  const bounds: Bounds = { ...budget, ...(rules ? { allowed: rules.allowed } : {}) };
  if (other) refuseStranger(manifest, other.artefact.manifest);

  return withNetwork(tf, artefact, encoders, (scoring) =>
    withOther(tf, other, async (otherScoring) => {
      const columns = new Set([...scoring.columns, ...(otherScoring?.columns ?? [])]);
      const space = spaceOf({ tf, ...encoders }, columns.has('words') ? examples : []);
      const classes = classesOf(manifest, data);
      const posts = await openPosts(scoring, [...columns], { data, classes }, examples, pictures);
      const victim = openVictim(scoring, space);
      const judge = judgeOf(manifest, data);
      const reads = readsOf(scoring.columns, posts);
      const reread = rereader(scoring, [...columns]);
      const attacks = attacksFor(tf, suite, reads, bounds, reread);
      if (attacks.length === 0) throw nothingFits(manifest, suite);
      const learnFrom = train.length > 0 ? train : examples;
      const crafter = await openCrafter(
        deps,
        { manifest, scoring, space, victim },
        suite,
        other,
        otherScoring,
        {
          posts: learnFrom.map((example) => ({
            text: example.text,
            target: (targetOf(example.labels, data.task, classes) ?? []).slice(-scoring.head.outputs),
          })),
          what:
            train.length > 0 ? 'of the training part' : 'of these very data, as they have no training part',
          seed,
        },
      );
      try {
        const result = await runSuite(victim, crafter.victim, posts, attacks, { clock, seed, judge, report });
        const sweep: SweepPoint[] = [];
        for (const epsilon of SWEEP) {
          report(`epsilon ${epsilon.toFixed(4)}`);
          const oneStep = attacksFor(tf, 'adaptive', reads, { ...bounds, epsilon }, reread);
          const quiet = { clock, seed, judge };
          sweep.push({ epsilon, ...(await runSuite(victim, crafter.victim, posts, oneStep, quiet)) });
        }
        report('sanity checks');
        const checks = checkSanity(tf, victim, drawn(posts, sanityPosts, seed), {
          ...bounds,
          seed,
          judge,
          surrogate: crafter.victim === victim ? null : crafter.victim,
        });
        const robustness: Robustness = {
          ...facts,
          suite,
          crafter: crafter.facts,
          epsilon: bounds.epsilon,
          constraints: rules?.facts ?? null,
          seed,
          n: posts.count,
          ...reported(result, checks, sweep),
          seconds: (clock.monotonic() - began) / 1_000,
        };
        const { word, read } = vocabulary;
        const naming = { classes: judgedClasses(manifest, data), word, read };
        return { robustness, result, posts, naming };
      } finally {
        crafter.close();
      }
    }),
  );
}

type Bounds = Omit<SuiteOptions, 'normalise'>;

function attacksFor(
  tf: Tf,
  suite: SuiteName,
  reads: Reads,
  bounds: Bounds,
  reread: Reread,
): readonly AnyAttack[] {
  const normalise = (text: string): string => normaliseText(text).text;
  return [
    ...attacksOf(tf, suite, reads, { ...bounds, normalise }),
    ...(suite === 'strong' ? encodedAttacksOf(reads.encoded, normalise, reread) : []),
  ];
}

const nothingFits = ({ name }: Manifest, suite: SuiteName): TocsinError =>
  new TocsinError('BAD_USAGE', `Attacking ${name}: no attack of the suite ${suite} fits what it reads.`);

interface Crafter {
  readonly victim: Victim;
  readonly facts: CrafterFacts;
  close(): void;
}

/** The model that the suite's examples are crafted on. */
async function openCrafter(
  { tf, report }: AssessDeps,
  own: {
    readonly manifest: Manifest;
    readonly scoring: Scoring;
    readonly space: WordSpace;
    readonly victim: Victim;
  },
  suite: SuiteName,
  other: OtherModel | null,
  otherScoring: Scoring | null,
  learn: { readonly posts: Parameters<typeof fitTwin>[2]; readonly what: string; readonly seed: number },
): Promise<Crafter> {
  const { manifest, scoring, space, victim } = own;
  const self = (why: string): Crafter => ({
    victim,
    facts: { kind: 'self', name: nameOf(manifest), why },
    close: () => {},
  });
  if (other && otherScoring) {
    const { kind, artefact } = other;
    const why = kind === 'twin' ? 'the undefended twin that was named' : 'another model (transfer)';
    return {
      victim: openVictim(otherScoring, space),
      facts: { kind, name: nameOf(artefact.manifest), why },
      close: () => {},
    };
  }
  if (suite !== 'static') return self('crafted on the model itself');
  if (isUndefended(manifest)) return self('the model is undefended: it is its own undefended twin');
  if (!scoring.columns.includes('words'))
    throw new TocsinError(
      'BAD_USAGE',
      `Attacking ${manifest.name}: --suite static needs its undefended twin, --twin FOLDER.`,
    );
  report('fitting an undefended twin');
  const { vocabulary } = scoring.encoders;
  const twin = await fitTwin(tf, { head: scoring.head, space, vocabulary }, learn.posts, learn.seed);
  const why = `undefended, fitted for this report on ${twin.rows} posts ${learn.what}`;
  return { victim: twin.victim, facts: { kind: 'twin', name: 'text-cnn', why }, close: twin.close };
}

const nameOf = ({ name, version }: Manifest): string => `${name} ${version}`;

/** The manifest's training options say which defence there was. */
const isUndefended = ({ training }: Manifest): boolean => (training.options['defence'] ?? 'none') === 'none';

/** Those that the judge's probabilities are of. */
const judgedClasses = ({ classes }: Manifest, data: Dataset): readonly string[] =>
  classes ? classes.map(({ name }) => name).filter((name) => data.classes.includes(name)) : [data.task];

const classesOf = ({ classes }: Manifest, { task }: Dataset): readonly string[] =>
  classes?.map(({ name }) => name) ?? TASKS[task].classes;

function refuseStranger(own: Manifest, other: Manifest): void {
  const key = ({ architecture, encoders, words }: Manifest): string =>
    JSON.stringify([architecture.head, words?.id, encoders.map(({ id, sha256 }) => [id, sha256])]);
  if (key(own) === key(other)) return;
  throw new TocsinError(
    'BAD_USAGE',
    `Crafting on ${nameOf(other)} against ${nameOf(own)}: head, word table or encoders differ.`,
  );
}

/** Opens the other model's network, where there is one. */
function withOther<T>(
  tf: Tf,
  other: OtherModel | null,
  use: (scoring: Scoring | null) => Promise<T>,
): Promise<T> {
  return other ? withNetwork(tf, other.artefact, other.encoders, use) : use(null);
}

function drawn(posts: Posts, most: number, seed: number): Posts {
  const rows = shuffled([...posts.texts.keys()], seededRandom(seed)).slice(0, most);
  return pickPosts(posts, rows);
}
