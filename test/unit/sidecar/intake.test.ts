/** Rulings find their posts, whichever comes first, and both are remembered over a restart. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../../src/bus/messages.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import type { AnyRecord, Feedback, Label } from '../../../src/event/records.ts';
import { loadVocabulary } from '../../../src/models/words.ts';
import { type Buffer, openBuffer } from '../../../src/sidecar/buffer.ts';
import { createIntake, type Intake } from '../../../src/sidecar/intake.ts';
import { samplesOf } from '../../../src/sidecar/samples.ts';
import { temporaryDir } from '../../support/embedded.ts';
import { createMemoryBus, type MemoryBus } from '../../support/memory-bus.ts';
import { eventually } from '../../support/tocsin.ts';

const codec = createCodec();
let vocabulary: ReturnType<typeof loadVocabulary>;
beforeAll(() => {
  vocabulary = loadVocabulary();
});

const labelOf = (postId: string, revision = 1): Label => ({
  kind: 'Label',
  postId,
  revision,
  collection: 'c',
  source: 's',
  createdAt: 1,
  receivedAt: 1,
  text: `water in the street ${postId}`,
  language: 'en',
  authorHash: null,
  tasks: [
    {
      task: 'informative',
      label: null,
      probability: 0.9,
      decision: 'yes',
      byModality: { text: 0.9, image: null },
      evidence: [],
      model: null,
      challenger: null,
    },
  ],
  modalities: ['text'],
  pictures: [],
  flags: [],
  normaliser: 'text-1',
  thresholds: 't',
  modelSequence: 0,
  synthetic: false,
});
const rulingOn = (rulingId: string, postIds: string[], more: Partial<Feedback> = {}): Feedback => ({
  kind: 'Feedback',
  rulingId,
  collection: 'c',
  claimId: null,
  postIds,
  task: 'informative',
  ruling: 'informative',
  by: 'ana',
  at: 2,
  undoes: null,
  ...more,
});

const send = (bus: MemoryBus, topic: string, record: AnyRecord, key: string): Promise<void> =>
  bus.produce([
    message(codec, topic, record, { key, id: key, source: 'test', time: 1, lineage: NO_LINEAGE }),
  ]);
const label = (bus: MemoryBus, id: string, revision = 1): Promise<void> =>
  send(bus, TOPICS.labels, labelOf(id, revision), id);
const rule = (bus: MemoryBus, feedback: Feedback): Promise<void> =>
  send(bus, TOPICS.feedback, feedback, feedback.rulingId);

/** @param seen counts what the drift detector is shown */
function intakeOf(bus: MemoryBus, buffer: Buffer, memory = 1_000, seen = { events: 0 }): Intake {
  return createIntake({
    bus,
    codec,
    buffer,
    vocabulary,
    memory,
    detector: {
      observe: () => {
        seen.events += 1;
        return null;
      },
      figures: () => null,
    },
    looked: () => {},
    drifted: () => {},
  });
}
const sampled = (buffer: Buffer): string[] =>
  samplesOf(buffer)
    .map(({ post }) => post.id)
    .sort();

describe('the intake', () => {
  it('joins rulings and posts in either order, once, and follows what comes', async () => {
    const bus = createMemoryBus();
    const buffer = await openBuffer(join(temporaryDir(), 'buffer.jsonl'), 100);
    const seen = { events: 0 };
    await label(bus, 'a');
    await label(bus, 'a', 2);
    await rule(bus, rulingOn('1', ['a', 'later']));
    const intake = intakeOf(bus, buffer, 1_000, seen);
    await intake.catchUp();
    expect(sampled(buffer)).toEqual(['a']);
    expect(seen.events).toBe(1); // a post counts once

    const stop = new AbortController();
    const following = intake.follow(stop.signal);
    await label(bus, 'later');
    await label(bus, 'b');
    await rule(bus, rulingOn('2', ['b']));
    await eventually('all three posts', () => sampled(buffer).length === 3, { everyMs: 5 });
    expect(sampled(buffer)).toEqual(['a', 'b', 'later']);
    expect(seen.events).toBe(3);
    stop.abort();
    await following;
    await buffer.close();
  });

  it('remembers a ruled post after its text has left the memory, over a restart', async () => {
    const bus = createMemoryBus();
    const path = join(temporaryDir(), 'buffer.jsonl');
    await label(bus, 'a');
    await rule(bus, rulingOn('1', ['a']));
    const first = await openBuffer(path, 100);
    await intakeOf(bus, first).catchUp();
    await first.close();
    const second = await openBuffer(path, 100);
    await intakeOf(createMemoryBus(), second).catchUp();
    expect(sampled(second)).toEqual(['a']);
    await second.close();
  });

  it('takes no ruling on rumours and no record that it cannot read', async () => {
    const bus = createMemoryBus();
    const buffer = await openBuffer(join(temporaryDir(), 'buffer.jsonl'), 100);
    await label(bus, 'a');
    await rule(bus, rulingOn('1', ['a'], { task: 'rumour', ruling: 'true' }));
    await bus.produce([{ topic: TOPICS.feedback, key: 'x', value: Uint8Array.of(1, 2), headers: {} }]);
    await intakeOf(bus, buffer).catchUp();
    expect(sampled(buffer)).toEqual([]);
    await buffer.close();
  });
});
