/** Records of one partition that are fetched and not yet worked on, and the cutting of slices from them. */
import type { Clock } from '../../base/clock.ts';
import type { ReceivedRecord } from '../port.ts';
import type { FetchedPartition } from './fetch.ts';

/** Enough for the next slice to be there while one is worked on, and no more. */
const BUFFERED_SLICES = 3;
const LEAST_RECORDS = 512;
const MAX_BUFFERED_BYTES = 4_194_304;

export interface CutSlice {
  /** Empty when only markers and aborted records lay between. */
  readonly records: readonly ReceivedRecord[];
  /** The offset to go on from when this slice is done. */
  readonly upto: bigint;
}

export class SliceBuffer {
  private records: ReceivedRecord[] = [];
  private bytes = 0;
  private firstAt = 0;
  private position: bigint;
  private done: bigint;
  private changed = new AbortController();
  private readonly clock: Clock;
  private readonly sliceRecords: number;
  private readonly sliceMs: number;

  constructor(start: bigint, options: { clock: Clock; sliceRecords: number; sliceMs: number }) {
    this.position = start;
    this.done = start;
    this.clock = options.clock;
    this.sliceRecords = options.sliceRecords;
    this.sliceMs = options.sliceMs;
  }

  /** Where to fetch from; null while there is enough. */
  wants(): bigint | null {
    const enough = Math.max(LEAST_RECORDS, this.sliceRecords * BUFFERED_SLICES);
    return this.records.length < enough && this.bytes < MAX_BUFFERED_BYTES ? this.position : null;
  }

  /** Takes what was fetched, unless it was asked for by a predecessor. */
  accept(fetched: FetchedPartition): void {
    if (fetched.from !== this.position) return;
    if (this.records.length === 0 && fetched.records.length > 0) this.firstAt = this.clock.monotonic();
    for (const record of fetched.records) this.records.push(record);
    this.bytes += fetched.bytes;
    this.position = fetched.next;
    this.wake();
  }

  /** Goes on at another offset: the one wanted is no longer kept. */
  moveTo(offset: bigint): void {
    if (this.records.length === 0) this.position = offset;
  }

  /** Wakes whoever waits for a slice. */
  wake(): void {
    const before = this.changed;
    this.changed = new AbortController();
    before.abort();
  }

  /**
   * Waits until a slice is full, or its first record has waited long enough. Resolves also when `stop` says so (the
   * caller looks) and, with no records, when nothing but markers has come for `idleMs`: then only the offset moves.
   */
  async ready(stop: () => boolean, idleMs: number): Promise<void> {
    while (!stop()) {
      const { changed } = this;
      if (this.records.length >= this.sliceRecords) return;
      if (this.records.length > 0) {
        const rest = this.firstAt + this.sliceMs - this.clock.monotonic();
        if (rest <= 0) return;
        await this.clock.sleep(rest, changed.signal);
        continue;
      }
      if (this.position > this.done) {
        await this.clock.sleep(idleMs, changed.signal);
        if (this.records.length === 0 && !changed.signal.aborted) return;
        continue;
      }
      await this.clock.sleep(60_000, changed.signal);
    }
  }

  /** Takes the next slice out. */
  cut(): CutSlice {
    const records = this.records.splice(0, this.sliceRecords);
    const next = this.records[0];
    // Behind the slice's last record may lie markers; with them passed, a group that has read all has no lag.
    const upto = next ? next.offset : this.position;
    if (this.records.length === 0) this.bytes = 0;
    else {
      for (const record of records) this.bytes -= record.value?.length ?? 0;
      this.firstAt = this.clock.monotonic();
    }
    this.done = upto;
    return { records, upto };
  }
}
