/** npm run reproduce:mmat|mafn -- --data DIR [--quick]: set-up, then `tocsin reproduce`. */
import { spawnSync } from 'node:child_process';
import { build, install, ROOT, requireNode } from './lib/setup.mjs';

requireNode();
install();
build();
const run = spawnSync(process.execPath, ['bin/tocsin.mjs', 'reproduce', ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
