/** Reads the Avro schemas under topics/, putting shared types in where they are named. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A schema as JSON; see the Avro specification. */
export type AvroJson = string | readonly AvroJson[] | { readonly [key: string]: unknown };

/** The project's topics/ folder. */
export const TOPICS_DIR: string = fileURLToPath(new URL('../../topics', import.meta.url));

const readJson = (path: string): AvroJson => JSON.parse(readFileSync(path, 'utf8')) as AvroJson;

/** Names of the shared types under topics/types. */
export function sharedTypeNames(dir: string = TOPICS_DIR): string[] {
  return readdirSync(join(dir, 'types'))
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => file.slice(0, -'.avsc'.length))
    .sort();
}

/** Names of the records under topics/records. */
export function recordNames(dir: string = TOPICS_DIR): string[] {
  return readdirSync(join(dir, 'records'))
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => file.slice(0, -'.avsc'.length))
    .sort();
}

/** The file of a record or shared type, as written. */
export function rawSchema(folder: 'records' | 'types', name: string, dir: string = TOPICS_DIR): AvroJson {
  return readJson(join(dir, folder, `${name}.avsc`));
}

/** A record's schema, complete in itself: the first mention of a shared type is replaced by its definition. */
export function recordSchema(name: string, dir: string = TOPICS_DIR): AvroJson {
  const shared = new Set(sharedTypeNames(dir));
  const seen = new Set<string>();
  const inline = (schema: AvroJson): AvroJson => {
    if (typeof schema === 'string') {
      if (!shared.has(schema) || seen.has(schema)) return schema;
      seen.add(schema);
      return inline(rawSchema('types', schema, dir));
    }
    if (Array.isArray(schema)) return schema.map(inline);
    const node = schema as { readonly [key: string]: unknown };
    const copy: Record<string, unknown> = { ...node };
    if (Array.isArray(node['fields']))
      copy['fields'] = node['fields'].map((field: { readonly [key: string]: unknown }) => ({
        ...field,
        type: inline(field['type'] as AvroJson),
      }));
    for (const part of ['items', 'values'] as const)
      if (node[part] !== undefined) copy[part] = inline(node[part] as AvroJson);
    if (typeof node['type'] === 'object') copy['type'] = inline(node['type'] as AvroJson);
    return copy;
  };
  return inline(rawSchema('records', name, dir));
}

/** Schemas of older writers: topics/history/<Record>.<n>.avsc, each complete in itself. */
export function historicSchemas(
  dir: string = TOPICS_DIR,
): { readonly record: string; readonly schema: AvroJson }[] {
  let files: string[];
  try {
    files = readdirSync(join(dir, 'history'));
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.avsc'))
    .sort()
    .map((file) => ({ record: file.split('.')[0] as string, schema: readJson(join(dir, 'history', file)) }));
}
