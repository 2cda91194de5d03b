/** Random values of an Avro schema, as JavaScript has them. */
import fc from 'fast-check';
import type { AvroJson } from '../../src/bus/schemas.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const primitives: Readonly<Record<string, () => fc.Arbitrary<unknown>>> = {
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  int: () => fc.integer(),
  // The range in which the codec promises exact longs.
  long: () => fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
  double: () => fc.double({ noNaN: true }),
  string: () => text,
  bytes: () => fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
};

/** @param schema complete in itself (recordSchema) */
export function arbitraryOf(
  schema: AvroJson,
  named: Map<string, AvroJson> = new Map(),
): fc.Arbitrary<unknown> {
  if (typeof schema === 'string') {
    const primitive = primitives[schema];
    if (primitive) return primitive();
    const known = named.get(schema);
    if (known === undefined) throw new Error(`No type ${schema}`);
    return arbitraryOf(known, named);
  }
  if (Array.isArray(schema)) return fc.oneof(...schema.map((branch) => arbitraryOf(branch, named)));
  const node = schema as Readonly<Record<string, AvroJson>>;
  switch (node['type']) {
    case 'record': {
      named.set(node['name'] as string, schema);
      const fields = node['fields'] as readonly { readonly name: string; readonly type: AvroJson }[];
      return fc.record(
        Object.fromEntries(fields.map((field) => [field.name, arbitraryOf(field.type, named)])),
      );
    }
    case 'enum':
      named.set(node['name'] as string, schema);
      return fc.constantFrom(...(node['symbols'] as readonly string[]));
    case 'array':
      return fc.array(arbitraryOf(node['items'] as AvroJson, named), { maxLength: 4 });
    case 'map':
      return fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        arbitraryOf(node['values'] as AvroJson, named),
        { maxKeys: 4, noNullPrototype: true },
      );
    default:
      return arbitraryOf(node['type'] as AvroJson, named);
  }
}
