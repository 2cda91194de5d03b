/** Everyday posts beside those of disasters, so that a model learns to refuse what nobody asked for. */
import { TocsinError } from '../base/errors.ts';
import { seededRandom, shuffled } from '../base/random.ts';
import type { Dataset, Example } from './dataset.ts';
import type { Labels } from './tasks.ts';

/** What an everyday post is labelled. */
const NOTHING: Labels = { informative: 0, humanitarian: [] };

/** How many, and which ones. */
export interface EverydayChoice {
  readonly limit: number;
  readonly seed: number;
}

/**
 * The data with posts of another collection that are labelled 0 for `informative` there: not informative, and telling of
 * nothing. Those labelled 1 stay out, because on topic is no label. Only posts of disasters that the data do not have: an event that is left out stays unseen. They are events of
 * their own. Throws BAD_USAGE when there is none.
 */
export function withEveryday(data: Dataset, other: Dataset, { limit, seed }: EverydayChoice): Dataset {
  const events = new Set(data.examples.map(({ event }) => event.toLowerCase()));
  const ids = new Set(data.examples.map(({ id }) => id));
  const found = other.examples.filter(
    ({ id, event, labels }) => labels.informative === 0 && !events.has(event.toLowerCase()) && !ids.has(id),
  );
  if (!(data.task in NOTHING) || found.length === 0)
    throw new TocsinError(
      'BAD_USAGE',
      `Adding everyday posts of ${other.name} to ${data.name} for ${data.task}: there is none.`,
    );
  const drawn = new Set(shuffled(found, seededRandom(seed)).slice(0, limit));
  const everyday = found
    .filter((example) => drawn.has(example))
    .map((example): Example => ({ ...example, event: `${example.event}, off topic`, labels: NOTHING }));
  return {
    ...data,
    examples: [...data.examples, ...everyday],
    also: {
      name: `off-topic posts of ${other.name}`,
      licence: other.licence,
      examples: everyday.length,
      sha256: other.sha256,
    },
  };
}
