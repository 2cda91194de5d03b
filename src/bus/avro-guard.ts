/**
 * Makes avsc safe against hostile counts. Its reader believes the number of items that an array or map announces
 * and only notices at the very end that the bytes ran out: seven bytes could cost gigabytes and minutes.
 */
import avsc from 'avsc';

/** The part of avsc's reader that a collection needs. */
interface Tap {
  pos: number;
  readonly buf: Uint8Array;
  readLong(): number;
  skipLong(): void;
  readString(): string;
}

interface Reading {
  _read(tap: Tap): unknown;
}

/** Items in the next block, 0 at the end. Every item takes at least one byte (a test holds the schemas to that). */
function blockCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.skipLong();
  }
  if (count > tap.buf.length - tap.pos) throw new RangeError('more items announced than bytes left');
  return count;
}

// `this` is the type or, when an older writer's record is read, the resolver that avsc made from it.
function readArray(this: { readonly itemsType: Reading }, tap: Tap): unknown[] {
  const items: unknown[] = [];
  for (let n = blockCount(tap); n > 0; n = blockCount(tap))
    for (; n > 0; n -= 1) items.push(this.itemsType._read(tap));
  return items;
}

function readMap(this: { readonly valuesType: Reading }, tap: Tap): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (let n = blockCount(tap); n > 0; n = blockCount(tap))
    for (; n > 0; n -= 1) {
      const key = tap.readString();
      values[key] = this.valuesType._read(tap);
    }
  return values;
}

class GuardedArray extends avsc.types.ArrayType {}
class GuardedMap extends avsc.types.MapType {}
Object.defineProperty(GuardedArray.prototype, '_read', { value: readArray });
Object.defineProperty(GuardedMap.prototype, '_read', { value: readMap });

/** A `typeHook` for avsc: every array and map of the schema is a guarded one. */
export function guardCollections(schema: avsc.Schema, options: object): avsc.Type | undefined {
  const type = typeof schema === 'object' && 'type' in schema ? schema.type : null;
  if (type === 'array') return new GuardedArray(schema, options);
  if (type === 'map') return new GuardedMap(schema, options);
  return undefined;
}
