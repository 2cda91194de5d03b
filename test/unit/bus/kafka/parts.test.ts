/** Small parts of the Kafka bus: names, shares, portions, errors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../../../src/base/errors.ts';
import { fromKafka, isFenced, isTransient, kafkaType } from '../../../../src/bus/kafka/errors.ts';
import { roundRobin } from '../../../../src/bus/kafka/group.ts';
import { createNames, parseStateKey, stateKey } from '../../../../src/bus/kafka/names.ts';
import { type PlacedRecord, rounds, wireMessage } from '../../../../src/bus/kafka/produce.ts';
import { checkOutgoing } from '../../../../src/bus/outgoing.ts';

describe('names', () => {
  it('are plain in lab and prefixed elsewhere', () => {
    const [lab, prod] = [createNames('lab'), createNames('prod')];
    expect([lab.topic('crisis.events.v1'), prod.topic('crisis.events.v1')]).toEqual([
      'crisis.events.v1',
      'prod.crisis.events.v1',
    ]);
    expect(prod.logical('prod.crisis.events.v1')).toBe('crisis.events.v1');
    expect(prod.logical('crisis.events.v1')).toBe(null);
    expect(lab.logical('__consumer_offsets')).toBe(null);
    expect(lab.group('label')).toBe('lab.label');
    expect(prod.transactionalId('label', 'crisis.events.v1', 4)).toBe('prod.label.crisis.events.v1.4');
  });

  it('find service, topic, partition and entry of a state key again', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.string(), (partition, entry) => {
        const key = stateKey('label', 'crisis.events.v1', partition, entry);
        expect(parseStateKey(key, 'label', 'crisis.events.v1')).toEqual({ partition, entry });
        expect(parseStateKey(key, 'labels', 'crisis.events.v1')).toBe(null);
        expect(parseStateKey(key, 'label', 'crisis.events.v2')).toBe(null);
      }),
    );
    expect(parseStateKey('environment/live', 'environment', 'live')).toBe(null);
  });
});

describe('roundRobin', () => {
  it('gives every partition to one member, evenly, the same whoever computes it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 7 }),
        fc.integer({ min: 1, max: 20 }),
        (members, count) => {
          const partitions = Array.from({ length: count }, (_, i) => i);
          const shares = roundRobin(members, partitions);
          expect([...shares.values()].flat().sort((a, b) => a - b)).toEqual(partitions);
          const sizes = [...shares.values()].map((share) => share.length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          expect(roundRobin([...members].reverse(), [...partitions].reverse())).toEqual(shares);
        },
      ),
    );
  });
});

describe('rounds', () => {
  const record = (topic: string, partition: number, size: number, id: number): PlacedRecord => ({
    topic,
    partition,
    message: wireMessage(String(id), new Uint8Array(size), {}, 0),
  });

  it('keeps every record, in order within its partition, in batches that a broker takes', () => {
    const arbitrary = fc.array(fc.tuple(fc.nat(2), fc.constantFrom(10, 300_000, 2_000_000)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(arbitrary, (sketch) => {
        const records = sketch.map(([partition, size], i) => record('t', partition, size, i));
        const cut = rounds(records);
        const seen = new Map<number, string[]>();
        for (const round of cut) {
          expect(new Set(round.map((portion) => portion.partition)).size).toBe(round.length);
          for (const { partition, messages } of round) {
            const bytes = messages.reduce((sum, message) => sum + (message.value?.length ?? 0), 0);
            expect(messages.length === 1 || bytes <= 900_000).toBe(true);
            seen.set(partition, [...(seen.get(partition) ?? []), ...messages.map((m) => m.key.toString())]);
          }
        }
        for (const partition of [0, 1, 2])
          expect(seen.get(partition) ?? []).toEqual(
            records.filter((r) => r.partition === partition).map((r) => r.message.key.toString()),
          );
      }),
      { numRuns: 50 },
    );
  });

  it('refuses what no bus may take', () => {
    const good = { topic: 't', key: 'k', value: new Uint8Array(1), headers: {} };
    expect(() => checkOutgoing(good)).not.toThrow();
    expect(() => checkOutgoing({ ...good, key: '' })).toThrow(TocsinError);
    expect(() => checkOutgoing({ ...good, value: new Uint8Array(4_000_001) })).toThrow(/too many/);
  });
});

describe('errors', () => {
  const kafka = (fields: object): Error => Object.assign(new Error('said'), fields);

  it('are told apart by their type, also inside kafkajs wrappers', () => {
    const wrapped = kafka({
      name: 'KafkaJSNumberOfRetriesExceeded',
      cause: kafka({ type: 'NOT_LEADER_FOR_PARTITION' }),
    });
    expect(kafkaType(wrapped)).toBe('NOT_LEADER_FOR_PARTITION');
    expect(isTransient(wrapped)).toBe(true);
    expect(isFenced(kafka({ code: 90 }))).toBe(true);
    expect(isFenced(kafka({ type: 'CONCURRENT_TRANSACTIONS' }))).toBe(false);
  });

  it.each([
    [{ type: 'UNKNOWN_TOPIC_OR_PARTITION' }, 'UNKNOWN_TOPIC'],
    [{ type: 'MESSAGE_TOO_LARGE' }, 'BAD_RECORD'],
    [{ type: 'INVALID_PRODUCER_EPOCH' }, 'BUS_FENCED'],
    [{ type: 'ILLEGAL_GENERATION' }, 'BUS_FENCED'],
    [{ name: 'KafkaJSConnectionError', code: 'ECONNREFUSED' }, 'BUS_UNREACHABLE'],
    [{ type: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }, 'BUS_COMMIT_FAILED'],
    [{ name: 'TypeError' }, 'INTERNAL'],
  ])('become ours: %o → %s', (fields, code) => {
    expect(fromKafka(kafka(fields), 'testing').code).toBe(code);
  });

  it('keeps an error that is ours already', () => {
    const error = new TocsinError('BUS_CLOSED', 'closed');
    expect(fromKafka(error, 'testing')).toBe(error);
  });
});
