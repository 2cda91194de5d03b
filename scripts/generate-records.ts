/** Writes src/event/records.ts from topics/*.avsc. `--check` fails when the file is not what would be written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AvroJson, rawSchema, recordNames, sharedTypeNames } from '../src/bus/schemas.ts';

const target = fileURLToPath(new URL('../src/event/records.ts', import.meta.url));
const named = new Map<string, string>();

const primitive: Record<string, string> = {
  string: 'string',
  bytes: 'Uint8Array',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  null: 'null',
};
const comment = (doc: unknown, indent = ''): string =>
  typeof doc === 'string' ? `${indent}/** ${doc} */\n` : '';

function typeName(schema: AvroJson): string {
  if (typeof schema === 'string') return primitive[schema] ?? schema;
  if (Array.isArray(schema)) {
    const names = schema.map(typeName);
    return [...names.filter((n) => n !== 'null'), ...names.filter((n) => n === 'null')].join(' | ');
  }
  const node = schema as { readonly [key: string]: unknown };
  switch (node['type']) {
    case 'array': {
      const item = typeName(node['items'] as AvroJson);
      return item.includes('|') ? `readonly (${item})[]` : `readonly ${item}[]`;
    }
    case 'map':
      return `Readonly<Record<string, ${typeName(node['values'] as AvroJson)}>>`;
    case 'enum':
    case 'record':
      declare(node);
      return node['name'] as string;
    default:
      return typeName(node['type'] as AvroJson);
  }
}

function declare(node: { readonly [key: string]: unknown }, kind?: string): void {
  const name = node['name'] as string;
  if (named.has(name)) return;
  if (node['type'] === 'enum') {
    const symbols = (node['symbols'] as string[]).map((s) => `'${s}'`).join(' | ');
    named.set(name, `${comment(node['doc'])}export type ${name} = ${symbols};\n`);
    return;
  }
  named.set(name, '');
  const fields = (node['fields'] as { readonly [key: string]: unknown }[])
    .map(
      (f) =>
        `${comment(f['doc'], '  ')}  readonly ${f['name'] as string}: ${typeName(f['type'] as AvroJson)};\n`,
    )
    .join('');
  const tag = kind ? `  readonly kind: '${kind}';\n` : '';
  named.delete(name);
  named.set(name, `${comment(node['doc'])}export interface ${name} {\n${tag}${fields}}\n`);
}

for (const name of sharedTypeNames()) declare(rawSchema('types', name) as never);
const records = recordNames();
for (const name of records) declare(rawSchema('records', name) as never, name);

const text = `/**
 * The records of every topic. Generated from topics/ by \`npm run records\`; do not edit.
 * \`kind\` names the record; it is not written to the bytes, the schema's fingerprint stands for it.
 */

${[...named.values()].join('\n')}
export type AnyRecord = ${records.join(' | ')};

export type RecordKind = AnyRecord['kind'];

export type RecordOf<K extends RecordKind> = Extract<AnyRecord, { readonly kind: K }>;
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('src/event/records.ts is not what topics/ says. Run: npm run records');
    process.exit(3);
  }
} else writeFileSync(target, text);
