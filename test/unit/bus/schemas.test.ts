import { describe, expect, it } from 'vitest';
import {
  type AvroJson,
  historicSchemas,
  rawSchema,
  recordNames,
  recordSchema,
  sharedTypeNames,
} from '../../../src/bus/schemas.ts';

/** Names that a schema defines, in order, with repetitions. */
function defined(schema: AvroJson): string[] {
  if (typeof schema === 'string') return [];
  if (Array.isArray(schema)) return schema.flatMap(defined);
  const node = schema as Readonly<Record<string, AvroJson>>;
  const own = node['type'] === 'record' || node['type'] === 'enum' ? [node['name'] as string] : [];
  const fields = (node['fields'] ?? []) as unknown as readonly { readonly type: AvroJson }[];
  return [
    ...own,
    ...fields.flatMap((field) => defined(field.type)),
    ...(['items', 'values', 'type'] as const).flatMap((part) =>
      node[part] === undefined ? [] : defined(node[part]),
    ),
  ];
}

describe('schemas', () => {
  it.each(recordNames())('%s is complete in itself and defines nothing twice', (name) => {
    const names = defined(recordSchema(name));
    expect(names[0]).toBe(name);
    expect(new Set(names).size).toBe(names.length);
    const text = JSON.stringify(recordSchema(name));
    for (const shared of sharedTypeNames()) if (text.includes(`"${shared}"`)) expect(names).toContain(shared);
  });

  it('leaves the files as they are written', () => {
    const before = JSON.stringify(rawSchema('records', 'Label'));
    recordSchema('Label');
    expect(JSON.stringify(rawSchema('records', 'Label'))).toBe(before);
  });

  it('names every file after what it holds', () => {
    for (const name of recordNames()) expect(rawSchema('records', name)).toMatchObject({ name });
    for (const name of sharedTypeNames()) expect(rawSchema('types', name)).toMatchObject({ name });
  });

  it('has no history where there is none', () => {
    expect(historicSchemas('/nonexistent')).toEqual([]);
  });
});
