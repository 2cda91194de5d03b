import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReceivedRecord } from '../../../src/bus/port.ts';
import type { Label, MediaRequest } from '../../../src/event/records.ts';
import { imbalance, picturesPending } from '../../../src/pipeline/ledger.ts';
import {
  answer,
  createLabelHarness,
  input,
  type LabelHarness,
  type Outputs,
  picture,
  post,
  readyItem,
  refusedItem,
  T0,
} from '../../support/label-harness.ts';

const MINUTE = 60_000;

/** What may happen next. Numbers pick among a few ids, so that things meet. */
type Happening =
  | {
      readonly is: 'post';
      readonly id: number;
      readonly minutes: number;
      readonly pictures: number;
      readonly apart: boolean;
    }
  | { readonly is: 'picture'; readonly id: number; readonly post: number; readonly minutes: number }
  | { readonly is: 'answer'; readonly request: number; readonly ready: boolean; readonly forged: boolean }
  | { readonly is: 'junk' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('post' as const),
      id: fc.nat(12),
      minutes: fc.nat(300),
      pictures: fc.nat(2),
      apart: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('picture' as const),
      id: fc.nat(12),
      post: fc.nat(12),
      minutes: fc.nat(300),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('answer' as const),
      request: fc.nat(20),
      ready: fc.boolean(),
      forged: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ is: 'junk' as const }) },
);

/** Two collections, so that there are two event times. */
const collectionOf = (id: number): string => (id % 3 === 0 ? 'fire' : 'flood');

function inputOf(what: Happening, requests: readonly MediaRequest[]): ReceivedRecord | null {
  switch (what.is) {
    case 'post':
      return input(
        post(`p${what.id}`, {
          createdAt: T0 + what.minutes * MINUTE,
          collection: collectionOf(what.id),
          media: Array.from({ length: what.pictures }, (_, i) => ({ id: `m${i}`, ref: `store:${i}` })),
          picturesApart: what.apart,
        }),
      );
    case 'picture':
      return input(
        picture(`x${what.id}`, `p${what.post}`, {
          createdAt: T0 + what.minutes * MINUTE,
          collection: collectionOf(what.post),
        }),
      );
    case 'answer': {
      const request = requests[what.request];
      if (!request) return null;
      const event = answer(request, (id) => (what.ready ? readyItem(id) : refusedItem(id)));
      return input(what.forged ? { ...event, mac: '0'.repeat(64) } : event);
    }
    default:
      return input(Buffer.from('junk'));
  }
}

/** Runs happenings one by one, answers to what was really asked for among them; gives back the inputs that were made. */
async function play(harness: LabelHarness, happenings: readonly Happening[]): Promise<ReceivedRecord[]> {
  const inputs: ReceivedRecord[] = [];
  for (const what of happenings) {
    const made = inputOf(what, harness.outputs().requests);
    if (!made) continue;
    inputs.push(made);
    await harness.run(made);
  }
  return inputs;
}

const sorted = (items: readonly unknown[]): string[] => items.map((item) => JSON.stringify(item)).sort();

/** What must not depend on slices, restarts or retries. */
function essence(harness: LabelHarness): unknown {
  const { labels, evidence, requests, dead }: Outputs = harness.outputs();
  return {
    labels: sorted(labels),
    evidence: sorted(evidence),
    requests: sorted(requests),
    dead: sorted(dead),
    ledger: harness.ledger(),
    remembered: [...harness.state.keys()].filter((entry) => !entry.startsWith('dedup/')).sort(),
  };
}

const nameOf = ({ postId, revision }: Label): string => `${postId}/${revision}`;

describe('whatever comes in', () => {
  it('the ledger balances after every slice, and agrees with what was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
        const harness = createLabelHarness();
        for (const what of happenings) {
          const made = inputOf(what, harness.outputs().requests);
          if (made) await harness.run(made);
          const row = harness.ledger();
          expect(imbalance(row)).toBe(0);
          expect(picturesPending(row)).toBeGreaterThanOrEqual(0);
        }
        const { labels, requests, dead } = harness.outputs();
        const row = harness.ledger();
        expect(requests.reduce((sum, request) => sum + request.media.length, 0)).toBe(row.picturesRequested);
        const firsts = labels.filter((label) => label.revision === 1 && !label.flags.includes('orphan'));
        expect(firsts).toHaveLength(row.labelled);
        expect(dead).toHaveLength(row.dead + row.deadOther);
      }),
      { numRuns: 60 },
    );
  });

  it('within the windows no label is written twice and each request brings one', async () => {
    const inHour = fc
      .array(happening, { maxLength: 60 })
      .map((list) =>
        list.map((what) => ('minutes' in what ? { ...what, minutes: what.minutes % 60 } : what)),
      );
    await fc.assert(
      fc.asyncProperty(inHour, async (happenings) => {
        const harness = createLabelHarness();
        await play(harness, happenings);
        const { labels, requests } = harness.outputs();
        expect(new Set(labels.map(nameOf)).size).toBe(labels.length);
        const pending = [...harness.state.keys()].filter((entry) => entry.startsWith('pending/'));
        const answered = labels.filter((label) => label.revision > 1 || label.flags.includes('orphan'));
        expect(pending.length + answered.length).toBe(requests.length);
      }),
      { numRuns: 60 },
    );
  });

  it('slices, restarts and given-up slices make no difference', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 60 }),
        fc.array(
          fc.record({ size: fc.integer({ min: 1, max: 9 }), before: fc.constantFrom('', 'reopen', 'fail') }),
          {
            minLength: 1,
            maxLength: 10,
          },
        ),
        async (happenings, plan) => {
          const oneByOne = createLabelHarness();
          const inputs = await play(oneByOne, happenings);
          const sliced = createLabelHarness();
          for (let at = 0, step = 0; at < inputs.length; step += 1) {
            const { size, before } = plan[step % plan.length] as { size: number; before: string };
            const slice = inputs.slice(at, at + size);
            if (before === 'reopen') await sliced.reopen();
            if (before === 'fail') await sliced.fail(...slice);
            await sliced.run(...slice);
            at += size;
          }
          expect(essence(sliced)).toEqual(essence(oneByOne));
        },
      ),
      { numRuns: 60 },
    );
  });
});
