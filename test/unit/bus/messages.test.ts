import { describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/bus/codec.ts';
import { lineageOf, message, NO_LINEAGE, traceparentFor } from '../../../src/bus/messages.ts';

const codec = createCodec();
const record = { kind: 'StateEntry', upto: 3, value: Uint8Array.from([1]) } as const;
const options = {
  key: 'k',
  id: 'id-1',
  source: 'label',
  time: Date.parse('2026-01-02T03:04:05.006Z'),
  lineage: NO_LINEAGE,
};

describe('message', () => {
  it('is a CloudEvent in binary mode', () => {
    const sent = message(codec, 'crisis.state.v1', record, options);
    expect(sent.headers).toEqual({
      'content-type': 'application/avro',
      ce_specversion: '1.0',
      ce_id: 'id-1',
      ce_source: 'tocsin/label',
      ce_type: 'tocsin.StateEntry.v1',
      ce_time: '2026-01-02T03:04:05.006Z',
      ce_subject: 'k',
      ce_dataschema: codec.fingerprint('StateEntry'),
    });
    expect([sent.topic, sent.key]).toEqual(['crisis.state.v1', 'k']);
    expect(sent).not.toHaveProperty('partition');
    expect(codec.decode(sent.value)).toMatchObject({ kind: 'StateEntry', upto: 3 });
  });

  it('hands the lineage on', () => {
    const lineage = { traceparent: traceparentFor('post-1'), replayId: 'replay-9' };
    const sent = message(codec, 't', record, { ...options, lineage, partition: 2 });
    expect(lineageOf(sent.headers)).toEqual(lineage);
    expect(sent.partition).toBe(2);
    expect(lineageOf({})).toEqual(NO_LINEAGE);
  });
});

describe('traceparentFor', () => {
  it('follows from the id and is a W3C trace parent', () => {
    expect(traceparentFor('a')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traceparentFor('a')).toBe(traceparentFor('a'));
    expect(traceparentFor('a')).not.toBe(traceparentFor('b'));
  });
});
