/**
 * Ids seen within the dedup window of event time. Each slice writes one state entry, `dedup/<offset>`: a chunk that
 * small slices share until it is full, and that is forgotten when all of it is out of its collections' windows.
 * Ids are kept as keyed hashes: nobody can choose ids that collide, or read them from the state.
 */
import { createHmac } from 'node:crypto';
import { TocsinError } from '../base/errors.ts';
import type { Transaction } from '../bus/port.ts';
import { SeenTable, type SeenValue } from './seen-table.ts';
import type { Watermarks } from './watermarks.ts';

export const DEDUP_PREFIX: string = 'dedup/';

const FORMAT = 1;
const KEY_BYTES = 16;
const ENTRY_BYTES = KEY_BYTES + 4;
/** Ids in a chunk before the next one is begun: few entries to restore, little to write again. */
const CHUNK_IDS = 128;
/** Flushes between looks at chunks behind the oldest: a collection that fell silent must not keep the others. */
const FULL_LOOK = 64;

export interface DedupOptions {
  readonly key: Uint8Array;
  readonly windowMs: number;
  /** Ids kept at most; above it the oldest chunks go before their time. */
  readonly maxIds: number;
}

/** The ids that one collection added in one slice. */
interface Section {
  readonly collection: string;
  /** Latest event time in it, ms. */
  newest: number;
  /** Key (16 bytes) and event time (u32, s) of each. */
  readonly entries: Buffer[];
  count: number;
}

interface Chunk {
  readonly entry: string;
  readonly sections: Map<string, Section>;
}

export class Dedup {
  readonly #options: DedupOptions;
  readonly #watermarks: Watermarks;
  readonly #table = new SeenTable();
  readonly #chunks = new Map<number, Chunk>();
  readonly #collections: string[] = [];
  readonly #collectionNumbers = new Map<string, number>();
  readonly #words = new Uint32Array(4);
  #nextChunk = 0;
  #flushes = 0;
  #changed = false;
  /** Its entry is named at its first flush. */
  #open: { entry: string; readonly sections: Map<string, Section>; ids: number } = freshChunk();
  #size = 0;

  constructor(options: DedupOptions, watermarks: Watermarks) {
    this.#options = options;
    this.#watermarks = watermarks;
  }

  /** Ids that are remembered. */
  get size(): number {
    return this.#size;
  }

  /** Takes in what an earlier task wrote; to be called with every `dedup/` entry before the first slice. */
  restore(entries: ReadonlyMap<string, Uint8Array>): void {
    const names = [...entries.keys()].filter((name) => name.startsWith(DEDUP_PREFIX));
    names.sort((a, b) => Number(BigInt(a.slice(DEDUP_PREFIX.length)) - BigInt(b.slice(DEDUP_PREFIX.length))));
    for (const name of names) {
      const sections = decodeSections(entries.get(name) as Uint8Array);
      for (const [collection, { newest, entries: rows }] of sections) {
        this.#watermarks.advance(collection, newest);
        for (const row of rows) this.#insert(row, row.readUInt32LE(KEY_BYTES), collection);
      }
      this.#close(name, sections);
    }
  }

  /**
   * Whether the id was seen before within the window; if not, it is now.
   * @param kind keeps ids of different things apart
   */
  seen(kind: string, id: string, collection: string, createdAt: number): boolean {
    const hash = createHmac('sha256', this.#options.key).update(`${kind}\u0000${id}`).digest();
    const row = Buffer.allocUnsafe(ENTRY_BYTES);
    hash.copy(row, 0, 0, KEY_BYTES);
    const slot = this.#table.find(this.#wordsOf(row));
    if (slot >= 0 && this.#isAlive(this.#table.at(slot))) return true;
    this.#watermarks.advance(collection, createdAt);
    const seconds = Math.floor(createdAt / 1_000);
    row.writeUInt32LE(seconds, KEY_BYTES);
    let section = this.#open.sections.get(collection);
    if (!section) {
      section = { collection, newest: createdAt, entries: [], count: 0 };
      this.#open.sections.set(collection, section);
    }
    section.newest = Math.max(section.newest, createdAt);
    section.entries.push(row);
    this.#open.ids += 1;
    this.#changed = true;
    this.#insert(row, seconds, collection);
    return false;
  }

  /**
   * Writes what the slice added and forgets chunks that nothing can meet any more.
   * @param offset of the slice's first record
   */
  flush(transaction: Transaction, offset: bigint): void {
    if (this.#changed) {
      this.#open.entry ||= `${DEDUP_PREFIX}${offset}`;
      transaction.putState(this.#open.entry, encodeSections(this.#open.sections));
      if (this.#open.ids >= CHUNK_IDS) this.#close(this.#open.entry, this.#open.sections);
      this.#changed = false;
    }
    const full = this.#flushes % FULL_LOOK === 0;
    this.#flushes += 1;
    for (const [number, chunk] of this.#chunks) {
      if (this.#size > this.#options.maxIds || this.#isOver(chunk)) {
        this.#chunks.delete(number);
        for (const section of chunk.sections.values()) this.#size -= section.count;
        transaction.putState(chunk.entry, null);
      } else if (!full) break;
    }
  }

  #insert(row: Buffer, seconds: number, collection: string): void {
    if (this.#table.full) this.#table.rebuild((value) => this.#isAlive(value));
    this.#table.put(this.#wordsOf(row), {
      seconds,
      chunk: this.#nextChunk,
      collection: this.#numberOf(collection),
    });
    this.#size += 1;
  }

  #close(entry: string, sections: Map<string, Section>): void {
    const slim = new Map<string, Section>();
    for (const [collection, section] of sections)
      slim.set(collection, { ...section, count: section.entries.length, entries: [] });
    this.#chunks.set(this.#nextChunk, { entry, sections: slim });
    this.#nextChunk += 1;
    this.#open = freshChunk();
  }

  #isOver(chunk: Chunk): boolean {
    for (const { collection, newest } of chunk.sections.values())
      if (Math.floor(newest / 1_000) >= this.#oldestSecond(collection)) return false;
    return true;
  }

  /** Depends on event times alone, never on where slices begin. */
  #isAlive(value: SeenValue): boolean {
    if (value.chunk !== this.#nextChunk && !this.#chunks.has(value.chunk)) return false;
    return value.seconds >= this.#oldestSecond(this.#collections[value.collection] as string);
  }

  #oldestSecond(collection: string): number {
    return Math.floor((this.#watermarks.of(collection) - this.#options.windowMs) / 1_000);
  }

  #numberOf(collection: string): number {
    let number = this.#collectionNumbers.get(collection);
    if (number === undefined) {
      // Past 65,535 names in one process life the last number is shared: their ids stay as long as its name's.
      number = Math.min(this.#collections.length, 65_535);
      if (number === this.#collections.length) this.#collections.push(collection);
      this.#collectionNumbers.set(collection, number);
    }
    return number;
  }

  #wordsOf(row: Buffer): Uint32Array {
    for (let i = 0; i < 4; i += 1) this.#words[i] = row.readUInt32LE(i * 4);
    return this.#words;
  }
}

function freshChunk(): { entry: string; readonly sections: Map<string, Section>; ids: number } {
  return { entry: '', sections: new Map(), ids: 0 };
}

function encodeSections(sections: ReadonlyMap<string, Section>): Uint8Array {
  const parts: Buffer[] = [Buffer.from([FORMAT])];
  for (const { collection, newest, entries } of sections.values()) {
    const name = Buffer.from(collection);
    const head = Buffer.allocUnsafe(2 + name.length + 12);
    head.writeUInt16LE(name.length, 0);
    name.copy(head, 2);
    head.writeDoubleLE(newest, 2 + name.length);
    head.writeUInt32LE(entries.length, 10 + name.length);
    parts.push(head, ...entries);
  }
  return Buffer.concat(parts);
}

function decodeSections(value: Uint8Array): Map<string, Section> {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes[0] !== FORMAT)
    throw new TocsinError('BUS_STATE_MISMATCH', `a dedup entry of unknown format ${bytes[0]}`);
  const sections = new Map<string, Section>();
  let at = 1;
  while (at < bytes.length) {
    const nameBytes = bytes.readUInt16LE(at);
    const collection = bytes.toString('utf8', at + 2, at + 2 + nameBytes);
    at += 2 + nameBytes;
    const newest = bytes.readDoubleLE(at);
    const count = bytes.readUInt32LE(at + 8);
    at += 12;
    const entries: Buffer[] = [];
    for (let i = 0; i < count; i += 1, at += ENTRY_BYTES) entries.push(bytes.subarray(at, at + ENTRY_BYTES));
    sections.set(collection, { collection, newest, entries, count });
  }
  return sections;
}
