/** The rumour study as Markdown. */
import type { Estimate } from './rumour-cells.ts';
import { nameOf, POSTS_PER_CLAIM } from './rumour-heads.ts';
import type { RumourStudy } from './rumour-study.ts';
import { percent, table } from './tables.ts';

const interval = ({ value, interval: [low, high] }: Estimate): string =>
  `${percent(value)} (${percent(low)}–${percent(high)})`;

const signed = (estimate: Estimate | null): string =>
  estimate ? `${estimate.value >= 0 ? '+' : ''}${interval(estimate)}` : '–';

/** Rulings after which the gain is promised, and how many points (issue of the model zoo). */
const PROMISED = { k: 20, points: 10 };

export function rumourReport(study: RumourStudy): string {
  const { events, evidence, rulings, tried, adaptation, recycled } = study;
  const names = events.map(({ name }) => name);
  const byEvent = (row: { readonly events: Readonly<Record<string, number>> }): string[] =>
    names.map((name) => (row.events[name] === undefined ? '–' : percent(row.events[name])));
  const promised = rulings.find(
    ({ ruled, k, over }) => ruled === 'post' && k === PROMISED.k && over === 'test events',
  );
  const points = promised?.gain ? 100 * promised.gain.value : null;
  return [
    '### Rumours on unseen events',
    '',
    'Logistic regression on frozen features (MiniLM sentence vector, EfficientNet-lite0 features seen from 128 random',
    `directions, style counts), ${evidence[0]?.seeds ?? 0} seeds. Figures are balanced accuracy in percent, the mean over events of the mean over`,
    `seeds, with the 95 % interval of a bootstrap over the claims of each event. At most ${POSTS_PER_CLAIM} posts of a claim train, drawn by`,
    'seed, and the claim counts by the root of all its posts; tests are whole. Events with both answers and at least 50 posts:',
    '',
    table(
      ['event', 'posts', 'fake', 'claims', 'settings chosen here'],
      events.map(({ name, posts, fake, claims, dev }) => [
        name,
        String(posts),
        String(fake),
        String(claims),
        dev ? 'yes' : 'no',
      ]),
    ),
    '',
    '#### (a) Leave one event out, and (c) what evidence adds',
    '',
    table(
      ['features', 'per post', 'per claim', ...names],
      evidence.map((row) => [row.name, interval(row.perPost), interval(row.perClaim), ...byEvent(row)]),
    ),
    '',
    recycled === 0
      ? 'No picture, video or message of this corpus stands in two events, so a recycled picture cannot be seen here; it is not among the features.'
      : `${recycled} claims have posts in several events.`,
    '',
    '#### (b) After human rulings in the new event',
    '',
    `The head of (a) is adapted by rulings chosen at random by seed. Method, chosen on ${events
      .filter(({ dev }) => dev)
      .map(({ name }) => name)
      .join(' and ')} with 20 ruled posts: **${nameOf(adaptation)}**. Gains there: ${tried
      .map((one) => `${nameOf(one.adaptation)} ${(100 * one.gain).toFixed(1)}`)
      .join('; ')}.`,
    '“posts”: single posts are ruled; they and all near-duplicates of their text leave the test, other posts of their claims',
    'stay. “claims”: whole claims are ruled and leave the test with all their posts; only events with enough claims. The gain',
    'is against (a) on the same test posts.',
    '',
    table(
      ['rulings', 'mean over', 'per post', 'gain', 'per claim', 'gain per claim', ...names],
      rulings.map((row) => [
        row.name,
        row.over,
        interval(row.perPost),
        signed(row.gain),
        interval(row.perClaim),
        signed(row.gainPerClaim),
        ...byEvent(row),
      ]),
    ),
    ...(points === null
      ? []
      : [
          '',
          `${PROMISED.k} ruled posts gain ${points.toFixed(1)} points of balanced accuracy on the events that nothing was chosen on: the aim of ${PROMISED.points} is ${points >= PROMISED.points ? 'reached' : 'not reached'}.`,
        ]),
  ].join('\n');
}
