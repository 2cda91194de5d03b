import { describe, expect, it } from 'vitest';
import type { Bus, StateView } from '../../../src/bus/port.ts';
import {
  addRows,
  decodeRow,
  EMPTY_ROW,
  encodeRow,
  imbalance,
  LEDGER_ENTRY,
  picturesPending,
  readLedger,
  summariseLedger,
} from '../../../src/pipeline/ledger.ts';

const row = {
  ...EMPTY_ROW,
  received: 5,
  labelled: 3,
  duplicate: 1,
  dead: 1,
  picturesRequested: 2,
  picturesReady: 1,
};

/** A bus that knows of two partitions with a row and of a third without. */
function busWith(closed: { count: number }): Bus {
  const view: StateView = {
    partitions: () =>
      new Map([
        [1, { upto: 10n, entries: new Map([[LEDGER_ENTRY, encodeRow(row)]]) }],
        [0, { upto: 7n, entries: new Map([[LEDGER_ENTRY, encodeRow(row)]]) }],
        [2, { upto: 0n, entries: new Map() }],
      ]),
    refresh: async () => {},
    close: async () => {
      closed.count += 1;
    },
  };
  return {
    watchState: async () => view,
    admin: {
      ranges: async () => [
        { topic: 't', partition: 0, low: 0n, high: 9n },
        { topic: 't', partition: 1, low: 12n, high: 15n },
        { topic: 't', partition: 2, low: 1n, high: 4n },
      ],
    },
  } as unknown as Bus;
}

describe('the ledger', () => {
  it('comes back as it was written', () => {
    expect(decodeRow(encodeRow(row))).toEqual(row);
    expect(decodeRow(Buffer.from('{"received":2,"labelled":2}'))).toEqual({
      ...EMPTY_ROW,
      received: 2,
      labelled: 2,
    });
  });

  it.each(['', 'null', '{"received":-1}', '{"received":"1"}', '{"dead":1.5}'])('refuses %j', (bytes) => {
    expect(() => decodeRow(Buffer.from(bytes))).toThrow();
  });

  it('knows when posts do not balance and how many pictures are out', () => {
    expect(imbalance(row)).toBe(0);
    expect(imbalance({ ...row, received: 6 })).toBe(1);
    expect(picturesPending(row)).toBe(1);
  });

  it('adds up partitions, in order, and lets go of the view', async () => {
    const closed = { count: 0 };
    const ledger = await readLedger(busWith(closed));
    expect(ledger.partitions.map((p) => p.partition)).toEqual([0, 1]);
    expect(ledger.total).toEqual(addRows([row, row]));
    expect(closed.count).toBe(1);
  });

  it('counts as in flight what lies at or above upto and is still kept', async () => {
    const bus = busWith({ count: 0 });
    const summary = await summariseLedger(bus, await readLedger(bus));
    expect(summary).toMatchObject({ received: 10, inFlight: 2 + 3 + 3, picturesPending: 2, imbalance: 0 });
    expect(summary.pictures).toEqual({ requested: 4, ready: 2, refused: 0, pending: 2 });
  });
});
