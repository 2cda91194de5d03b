import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../../src/base/murmur2.ts';
import { traceparentFor } from '../../../src/bus/messages.ts';
import type { ReceivedRecord } from '../../../src/bus/port.ts';
import type { AnyRecord } from '../../../src/event/records.ts';
import { createDecodeStage } from '../../../src/ingest/decode.ts';
import type { Decoded } from '../../../src/pipeline/post.ts';
import type { Outcome } from '../../../src/pipeline/stage.ts';
import { codec, input, picture, post, T0 } from '../../support/label-harness.ts';

const stage = createDecodeStage(codec, 6);
const decode = async (record: ReceivedRecord): Promise<Outcome<Decoded>> => {
  const [outcome] = await stage.process([record], new AbortController().signal);
  return outcome as Outcome<Decoded>;
};

const stateEntry: AnyRecord = { kind: 'StateEntry', upto: 1, value: Buffer.from('x') };
const good = input(post('p1'));
const media = (n: number): { id: string; ref: string }[] =>
  Array.from({ length: n }, (_, i) => ({ id: `m${i}`, ref: 'https://example.org/a.jpg' }));
const broken = (bytes: Uint8Array, keep: number): Uint8Array => bytes.subarray(0, keep);

describe('decoding', () => {
  it('passes a post, a picture event and an answer', async () => {
    const outcome = await decode(good);
    expect(outcome).toMatchObject({ kind: 'passed', value: { event: post('p1') } });
    expect(await decode(input(picture('x', 'p1')))).toMatchObject({ kind: 'passed' });
  });

  it.each<[string, ReceivedRecord]>([
    ['null_value', input(null)],
    ['null_key', { ...good, key: null }],
    ['bad_avro', input(Buffer.from('{"id":"p1"}'))],
    ['bad_avro', input(new Uint8Array())],
    ['bad_avro', input(broken(good.value as Uint8Array, 30))],
    ['bad_avro', input(Buffer.concat([good.value as Uint8Array, Buffer.from([0])]))],
    ['unknown_schema', input(Buffer.from('c3010102030405060708ff', 'hex'))],
    ['unexpected_record', input(stateEntry)],
    ['key_mismatch', input(post('p1'), { key: 'p2' })],
    ['wrong_partition', { ...good, partition: (good.partition + 1) % 6 }],
    ['too_large', input(post('p1', { text: 'x'.repeat(1_040_001) }))],
    ['bad_field', input(post(''), { key: '' })],
    ['bad_field', input(post('x'.repeat(257)))],
    ['bad_field', input(post('p1', { collection: '' }))],
    ['bad_field', input(post('p1', { source: 'x'.repeat(200) }))],
    ['bad_field', input(post('p1', { createdAt: 0 }))],
    ['bad_field', input(post('p1', { createdAt: -5 }))],
    ['bad_field', input(post('p1', { createdAt: T0 / 1_000 }))],
    ['bad_field', input(post('p1', { createdAt: T0 * 1_000 }))],
    ['bad_field', input(post('p1', { receivedAt: 0 }))],
    ['bad_field', input(post('p1', { authorHash: 'joe' }))],
    ['bad_field', input(post('p1', { media: media(65) }))],
    ['bad_field', input(post('p1', { media: [...media(1), ...media(1)] }))],
    ['bad_field', input(post('p1', { media: [{ id: 'm', ref: '' }] }))],
    ['bad_field', input(picture('x', 'p1', { media: [] }))],
    ['bad_field', input(picture('', 'p1'))],
  ])('refuses %s', async (reason, record) => {
    expect(await decode(record)).toMatchObject({ kind: 'failed', reason });
  });

  it('reads a text of just under a megabyte', async () => {
    expect(await decode(input(post('p1', { text: 'x'.repeat(999_000) })))).toMatchObject({ kind: 'passed' });
  });

  it('goes on with the trace of the source, or begins one that follows from the post id', async () => {
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const lineage = async (headers: Record<string, string>): Promise<unknown> =>
      ((await decode({ ...good, headers })) as { value: Decoded }).value.lineage;
    expect(await lineage({ traceparent: trace, 'replay-id': 'r1' })).toEqual({
      traceparent: trace,
      replayId: 'r1',
    });
    expect(await lineage({ traceparent: 'nonsense' })).toEqual({
      traceparent: traceparentFor('p1'),
      replayId: null,
    });
  });

  it('gives one outcome per input, in order', async () => {
    const inputs = ['a', 'b', 'c'].map((id) => input(post(id)));
    const outcomes = await stage.process(
      [inputs[0], input(null), inputs[2]] as ReceivedRecord[],
      new AbortController().signal,
    );
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['passed', 'failed', 'passed']);
    expect(partitionOf('p1', 6)).toBe(good.partition);
  });
});
