/** State records and what is folded from them. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { createCodec } from '../../../../src/bus/codec.ts';
import { createNames } from '../../../../src/bus/kafka/names.ts';
import type { PlacedRecord } from '../../../../src/bus/kafka/produce.ts';
import { createStateFold, stateRecords } from '../../../../src/bus/kafka/state.ts';
import type { ReceivedRecord } from '../../../../src/bus/port.ts';

const codec = createCodec();
const deps = { codec, names: createNames('lab'), clock: systemClock };
const where = { service: 'label', topic: 'crisis.events.v1', partition: 2 };
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** As they come back from the broker. */
const received = (records: readonly PlacedRecord[]): ReceivedRecord[] =>
  records.map(({ topic, partition, message }, i) => ({
    topic,
    partition,
    offset: BigInt(i),
    key: message.key.toString(),
    value: message.value,
    headers: {},
    timestamp: message.timestamp,
  }));

const slice = (changes: Record<string, Uint8Array | null>, upto: bigint, at = where): ReceivedRecord[] =>
  received(stateRecords(deps, at, new Map(Object.entries(changes)), upto));

const fold = (filter: (entry: string) => boolean = () => true) =>
  createStateFold(codec, where.service, where.topic, filter);

describe('state', () => {
  it('is the last value of each entry, as of the newest offset', () => {
    const state = fold();
    state.take(slice({ ledger: bytes('1'), a: bytes('x') }, 10n));
    state.take(slice({ ledger: bytes('2'), a: null }, 20n));
    expect(state.state(2)).toEqual({ upto: 20n, entries: new Map([['ledger', Buffer.from('2')]]) });
    expect(state.state(1)).toBe(null);
  });

  it('says its offset also for a slice that changes nothing or only forgets', () => {
    const state = fold();
    state.take(slice({ a: bytes('x') }, 10n));
    state.take(slice({}, 20n));
    expect(state.state(2)?.upto).toBe(20n);
    state.take(slice({ a: null }, 30n));
    expect(state.state(2)).toEqual({ upto: 30n, entries: new Map() });
  });

  it('is nothing again when every entry is gone', () => {
    const state = fold();
    state.take(slice({ a: bytes('x') }, 10n));
    state.take(slice({}, 20n));
    state.take(slice({ '': null, a: null }, 0n).map((record) => ({ ...record, value: null })));
    expect(state.state(2)).toBe(null);
  });

  it('leaves out other services, other topics, strayed records and what the filter refuses', () => {
    const state = fold((entry) => entry === 'ledger');
    state.take(slice({ ledger: bytes('1'), secret: bytes('x') }, 10n));
    state.take(slice({ ledger: bytes('9') }, 99n, { ...where, service: 'claims' }));
    state.take(slice({ ledger: bytes('9') }, 99n, { ...where, topic: 'crisis.evidence.v1' }));
    state.take(slice({ ledger: bytes('9') }, 99n).map((record) => ({ ...record, partition: 5 })));
    expect([...state.partitions()]).toEqual([
      [2, { upto: 10n, entries: new Map([['ledger', Buffer.from('1')]]) }],
    ]);
  });

  it('lies in the partition of its input', () => {
    const records = stateRecords(deps, where, new Map([['a', bytes('x')]]), 1n);
    expect(records.map(({ topic, partition }) => [topic, partition])).toEqual([['crisis.state.v1', 2]]);
  });
});
