/** Event time per collection: the latest that a partition has seen. It never goes back and no clock moves it. */

export class Watermarks {
  readonly #latest = new Map<string, number>();

  /** Takes note of an event's time, ms. */
  advance(collection: string, createdAt: number): void {
    if (createdAt > this.of(collection)) this.#latest.set(collection, createdAt);
  }

  /** -Infinity for a collection not yet seen. */
  of(collection: string): number {
    return this.#latest.get(collection) ?? Number.NEGATIVE_INFINITY;
  }
}
