/** The ways to split a data set, by the name that commands take. */
import { TocsinError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import type { Dataset } from './dataset.ts';
import { type Split, splitByEvent, splitGrouped } from './splits.ts';

type MakeSplit = (data: Dataset, seed: number, event: string | null) => Split;

const PROTOCOLS: Readonly<Record<string, MakeSplit>> = {
  grouped: (data, seed) => splitGrouped(data, seed),
  'leave-one-event-out': (data, seed, event) => {
    if (event) return splitByEvent(data, event, seed);
    const events = [...new Set(data.examples.map((example) => example.event))].sort();
    throw new TocsinError(
      'BAD_USAGE',
      `--split leave-one-event-out:EVENT needs an event of ${data.name}: ${events.join(', ')}.`,
    );
  },
};

/** @param wanted name of a protocol, with `:EVENT` where it needs one. Throws BAD_USAGE for an unknown one. */
export function splitBy(wanted: string, data: Dataset, seed: number): Split {
  const [name = '', ...event] = wanted.split(':');
  const make = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (make) return make(data, seed, event.length > 0 ? event.join(':') : null);
  const known = Object.keys(PROTOCOLS);
  throw new TocsinError(
    'BAD_USAGE',
    `There is no split ${name}; did you mean ${nearest(name, known)}? All: ${known.join(', ')}.`,
  );
}
