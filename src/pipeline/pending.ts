/**
 * Media requests that wait for their answer. An answer counts only while its request is here; a request that
 * nobody answers is closed after the media topic's retention, so that nothing is pending for ever.
 */
import { TocsinError } from '../base/errors.ts';
import { type Codec, expectKind } from '../bus/codec.ts';
import type { Transaction } from '../bus/port.ts';
import type { MediaRequest } from '../event/records.ts';

export const PENDING_PREFIX: string = 'pending/';

/** What is remembered of a request. */
export interface Waiting {
  readonly request: MediaRequest;
  /** When it was made, ms (this machine's clock, as the retention of its topic goes by clocks too). */
  readonly requestedAt: number;
  /** When the post, or the picture that came apart, arrived. */
  readonly receivedAt: number;
  readonly replayId: string | null;
}

export interface PendingOptions {
  /** A request older than this is closed unanswered. */
  readonly maxAgeMs: number;
  /** Requests kept at most; above it the oldest are closed before their time. */
  readonly maxRequests: number;
}

/** Two times and the replay id's length. */
const HEAD_BYTES = 18;

export class Pending {
  readonly #codec: Codec;
  readonly #options: PendingOptions;
  /** In the order they were made. Kept encoded: a fifth of the memory. */
  readonly #waiting = new Map<string, Buffer>();
  readonly #changed = new Set<string>();

  constructor(codec: Codec, options: PendingOptions) {
    this.#codec = codec;
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  restore(entries: ReadonlyMap<string, Uint8Array>): void {
    const found: [string, Buffer][] = [];
    for (const [name, value] of entries)
      if (name.startsWith(PENDING_PREFIX)) {
        if (value.length < HEAD_BYTES)
          throw new TocsinError('BUS_STATE_MISMATCH', `the state entry ${name} is torn`);
        found.push([name.slice(PENDING_PREFIX.length), Buffer.from(value)]);
      }
    // The request's hash settles ties, so that two restorations go the same way.
    found.sort(([a, x], [b, y]) => x.readDoubleLE(0) - y.readDoubleLE(0) || (a < b ? -1 : 1));
    for (const [hash, bytes] of found) this.#waiting.set(hash, bytes);
  }

  has(hash: string): boolean {
    return this.#waiting.has(hash);
  }

  add(waiting: Waiting): void {
    const head = Buffer.alloc(HEAD_BYTES);
    const replayId = Buffer.from(waiting.replayId ?? '');
    head.writeDoubleLE(waiting.requestedAt, 0);
    head.writeDoubleLE(waiting.receivedAt, 8);
    head.writeUInt16LE(replayId.length, 16);
    const bytes = Buffer.concat([head, replayId, this.#codec.encode(waiting.request)]);
    this.#waiting.set(waiting.request.mediaSetHash, bytes);
    this.#changed.add(waiting.request.mediaSetHash);
  }

  /** Takes a request out: it is answered. */
  take(hash: string): Waiting | null {
    const bytes = this.#waiting.get(hash);
    if (!bytes) return null;
    this.#waiting.delete(hash);
    this.#changed.add(hash);
    return this.#decode(bytes);
  }

  /** Takes out what is too old, or too much. */
  takeOverdue(now: number): Waiting[] {
    const overdue: Waiting[] = [];
    for (const [hash, bytes] of this.#waiting) {
      const old = now - bytes.readDoubleLE(0) > this.#options.maxAgeMs;
      if (!old && this.#waiting.size <= this.#options.maxRequests) break;
      overdue.push(this.take(hash) as Waiting);
    }
    return overdue;
  }

  flush(transaction: Transaction): void {
    for (const hash of this.#changed)
      transaction.putState(`${PENDING_PREFIX}${hash}`, this.#waiting.get(hash) ?? null);
    this.#changed.clear();
  }

  #decode(bytes: Buffer): Waiting {
    const replayEnd = HEAD_BYTES + bytes.readUInt16LE(16);
    return {
      requestedAt: bytes.readDoubleLE(0),
      receivedAt: bytes.readDoubleLE(8),
      replayId: bytes.toString('utf8', HEAD_BYTES, replayEnd) || null,
      request: expectKind(this.#codec.decode(bytes.subarray(replayEnd)), 'MediaRequest'),
    };
  }
}
