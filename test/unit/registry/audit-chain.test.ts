/** Whatever is done to the audit topic but to cut off its end shows in the chain. */
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/bus/codec.ts';
import type { ReceivedRecord } from '../../../src/bus/port.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import { openAuditLog, readChain, verifyChain } from '../../../src/registry/audit-chain.ts';
import { createMemoryBus } from '../../support/memory-bus.ts';

const codec = createCodec();
const entry = (what: string) => ({ who: 'gate', what, why: 'test', before: null, after: null });

async function written(n: number) {
  const bus = createMemoryBus();
  for (let i = 0; i < n; i += 1) {
    // Opened anew each time, as after a restart.
    const log = await openAuditLog({ bus, codec, now: () => i });
    await log.append(entry(`step ${i}`));
  }
  return { bus, records: bus.records(TOPICS.audit) };
}

describe('the audit chain', () => {
  it('holds across restarts of its writer', async () => {
    const { bus } = await written(4);
    const chain = await readChain(bus, codec);
    expect(chain.entries.map(({ what }) => what)).toEqual(['step 0', 'step 1', 'step 2', 'step 3']);
    expect(chain.breaks).toEqual([]);
  });

  const [first, second] = [1, 2];
  const tampered: Record<string, (records: ReceivedRecord[]) => ReceivedRecord[]> = {
    'an entry is left out': (records) => records.filter((_, i) => i !== first),
    'the first entry is left out': (records) => records.slice(1),
    'two entries change places': (records) =>
      records.map(
        (record, i) =>
          (i === first ? records[second] : i === second ? records[first] : record) as ReceivedRecord,
      ),
    'an entry says something else': (records) =>
      records.map((record, i) => {
        if (i !== first) return record;
        const decoded = codec.decode(record.value as Uint8Array);
        return { ...record, value: codec.encode({ ...decoded, why: 'another reason' } as typeof decoded) };
      }),
    'an entry is put in between': (records) =>
      records.flatMap((record, i) => (i === first ? [record, record] : [record])),
    'an entry is no entry': (records) =>
      records.map((record, i) => (i === first ? { ...record, value: Uint8Array.of(1, 2, 3) } : record)),
  };
  it.each(Object.entries(tampered))('breaks when %s', async (_, tamper) => {
    const { records } = await written(4);
    expect(verifyChain(codec, tamper([...records])).breaks).not.toEqual([]);
  });
});
