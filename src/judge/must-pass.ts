/** Texts that a model must not get wrong, written for this project: models/must-pass/<task>.json. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';
import { normaliseText } from '../normalise/text.ts';
import type { Example } from '../training/dataset.ts';
import { TASKS, type Task } from '../training/tasks.ts';
import type { JudgeOptions } from './options.ts';
import type { Scores, Served } from './served.ts';
import { type Check, percent } from './verdict.ts';

export interface MustPass {
  readonly task: string;
  /** Whether most texts must be on the right side, sure or not; of rumours none need be. */
  readonly mostRight: boolean;
  readonly posts: readonly {
    readonly id: string;
    readonly language: string;
    readonly disaster: string;
    readonly text: string;
    /** Names of the classes that the post has. */
    readonly has: readonly string[];
  }[];
}

const post = { id: z.string(), language: z.string(), disaster: z.string(), text: z.string() };

/** A yes-or-no task writes `answer`, a task with several classes `has`. */
const schema = z.object({
  task: z.string(),
  about: z.string(),
  mostRight: z.boolean().default(true),
  posts: z.array(
    z.union([
      z.object({ ...post, has: z.array(z.string()) }),
      z.object({ ...post, answer: z.enum(['yes', 'no']) }),
    ]),
  ),
});

/** The shipped set of a task; null where there is none. Throws MODEL_INVALID for a torn one. */
export async function loadMustPass(task: string): Promise<MustPass | null> {
  const path = fileURLToPath(new URL(`../../models/must-pass/${task}.json`, import.meta.url));
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return null;
  }
  try {
    const { posts, ...set } = schema.parse(JSON.parse(text));
    const [no, yes] = task in TASKS ? TASKS[task as Task].classes : [];
    return {
      ...set,
      posts: posts.map(({ id, language, disaster, text: said, ...rest }) => ({
        id,
        language,
        disaster,
        text: said,
        has: 'has' in rest ? rest.has : [(rest.answer === 'yes' ? yes : no) as string],
      })),
    };
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', `Reading the must-pass texts of ${task}`, { cause });
  }
}

/** How one text was answered. */
type Outcome = 'right' | 'unsure' | 'contrary';

/**
 * `must-pass`: no text that the champion keeps gets the contrary answer; `unsure` is not the contrary. Texts
 * that the champion itself gets wrong are named, and cannot keep every successor out. `must-pass-right`, where the set asks
 * for it: most texts are on the right side, sure or not.
 */
export async function mustPassChecks(
  set: MustPass,
  candidate: Served,
  champion: Served,
  { mustPassRight }: JudgeOptions,
): Promise<Check[]> {
  const examples = set.posts.map(exampleOf);
  const mine = outcomes(set, candidate, await candidate.score(examples));
  const its = outcomes(set, champion, await champion.score(examples));
  const kept = set.posts.filter((_, i) => its[i] !== 'contrary');
  const lost = set.posts.filter((_, i) => mine[i] === 'contrary' && its[i] !== 'contrary');
  const both = set.posts.filter((_, i) => mine[i] === 'contrary' && its[i] === 'contrary');
  const right = mine.filter((outcome) => outcome === 'right').length / mine.length;
  const named = (posts: MustPass['posts']): string =>
    posts.map(({ id, text }) => `${id} “${text}”`).join('; ');
  return [
    {
      name: 'must-pass',
      passed: lost.length === 0,
      value: (kept.length - lost.length) / Math.max(1, kept.length),
      limit: 1,
      why:
        `${kept.length - lost.length} of ${kept.length} texts that the champion keeps are kept` +
        `${lost.length > 0 ? `; lost: ${named(lost)}` : ''}.` +
        `${both.length > 0 ? ` Wrong with the champion as well: ${named(both)}.` : ''}`,
    },
    ...(set.mostRight
      ? [
          {
            name: 'must-pass-right',
            passed: right >= mustPassRight,
            value: right,
            limit: mustPassRight,
            why: `${percent(right)} of ${mine.length} clear texts are answered right; at least ${percent(mustPassRight)} are needed.`,
          },
        ]
      : []),
  ];
}

function outcomes({ posts }: MustPass, served: Served, { probabilities, answers }: Scores): Outcome[] {
  const exclusive = posts.every(({ has }) => has.length === 1);
  return posts.map(({ has }, i) => {
    const row = probabilities[i];
    if (!row) return 'unsure';
    const said = served.classes.map((name, k) => ({
      has: has.includes(name),
      decision: served.decide(k, row[k] as number),
      answer: answers[i]?.[k] === 1,
    }));
    // A post of a disaster may well have more classes than those named; everyday chatter has none.
    const judged = exclusive || has.length === 0 ? said : said.filter((one) => one.has);
    if (judged.some((one) => one.decision === (one.has ? 'no' : 'yes'))) return 'contrary';
    return judged.every((one) => one.answer === one.has) ? 'right' : 'unsure';
  });
}

const exampleOf = ({ id, text, language, disaster }: MustPass['posts'][number]): Example => ({
  id,
  post: id,
  event: disaster,
  createdAt: null,
  text: normaliseText(text).text,
  language,
  author: null,
  picture: null,
  media: [],
  claim: null,
  published: {},
  labels: {},
});
