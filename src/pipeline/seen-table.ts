/** Open-addressing table of 16-byte keys in typed arrays: 26 bytes a slot, where a Map of strings takes over a hundred. */

const MIN_SLOTS = 1_024;
const MAX_LOAD = 0.7;

/** What is kept with a key. */
export interface SeenValue {
  /** Event time in whole seconds. */
  readonly seconds: number;
  /** Number of the chunk that holds the key. */
  readonly chunk: number;
  /** Number of the collection. */
  readonly collection: number;
}

/** Keys are read as four 32-bit words of a Uint32Array, which must be spread evenly (a keyed hash is). */
export class SeenTable {
  #keys: Uint32Array = new Uint32Array(MIN_SLOTS * 4);
  /** 0: the slot is free. */
  #seconds: Uint32Array = new Uint32Array(MIN_SLOTS);
  #chunks: Uint32Array = new Uint32Array(MIN_SLOTS);
  #collections: Uint16Array = new Uint16Array(MIN_SLOTS);
  #size = 0;

  /** Keys in the table, dead ones among them until the next rebuild. */
  get size(): number {
    return this.#size;
  }

  /** Whether the next insertion needs a rebuild. */
  get full(): boolean {
    return this.#size + 1 > this.#seconds.length * MAX_LOAD;
  }

  /** The slot that holds the key, or -1. */
  find(key: Uint32Array): number {
    const slot = this.#slotOf(key, 0);
    return this.#seconds[slot] === 0 ? -1 : slot;
  }

  at(slot: number): SeenValue {
    return {
      seconds: this.#seconds[slot] as number,
      chunk: this.#chunks[slot] as number,
      collection: this.#collections[slot] as number,
    };
  }

  /** Puts the key in, or gives a key that is there a new value. The table must not be full. */
  put(key: Uint32Array, value: SeenValue): void {
    this.#write(key, 0, value);
  }

  /** Throws out what is not alive and makes room for as much again. */
  rebuild(alive: (value: SeenValue) => boolean): void {
    const kept: number[] = [];
    for (let slot = 0; slot < this.#seconds.length; slot += 1)
      if (this.#seconds[slot] !== 0 && alive(this.at(slot))) kept.push(slot);
    let slots = MIN_SLOTS;
    while (slots * MAX_LOAD < kept.length * 2) slots *= 2;
    const [keys, seconds, chunks, collections] = [this.#keys, this.#seconds, this.#chunks, this.#collections];
    this.#keys = new Uint32Array(slots * 4);
    this.#seconds = new Uint32Array(slots);
    this.#chunks = new Uint32Array(slots);
    this.#collections = new Uint16Array(slots);
    this.#size = 0;
    for (const slot of kept)
      this.#write(keys, slot * 4, {
        seconds: seconds[slot] as number,
        chunk: chunks[slot] as number,
        collection: collections[slot] as number,
      });
  }

  #write(keys: Uint32Array, from: number, value: SeenValue): void {
    const slot = this.#slotOf(keys, from);
    if (this.#seconds[slot] === 0) {
      this.#size += 1;
      for (let i = 0; i < 4; i += 1) this.#keys[slot * 4 + i] = keys[from + i] as number;
    }
    this.#seconds[slot] = value.seconds;
    this.#chunks[slot] = value.chunk;
    this.#collections[slot] = value.collection;
  }

  /** Where the key is, or where it would go. */
  #slotOf(keys: Uint32Array, from: number): number {
    const mask = this.#seconds.length - 1;
    let slot = (keys[from] as number) & mask;
    while (this.#seconds[slot] !== 0) {
      let same = true;
      for (let i = 0; i < 4 && same; i += 1) same = this.#keys[slot * 4 + i] === keys[from + i];
      if (same) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
