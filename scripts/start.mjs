/** npm start: installs, builds, and runs `tocsin up --sample` with the flags given after `--`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, ROOT, requireNode } from './lib/setup.mjs';

requireNode();
try {
  install();
  build();
} catch (error) {
  console.error(`npm start: ${error.message}`);
  process.exit(1);
}

const flags = process.argv.slice(2);
const sample = flags.includes('--sample') || flags.includes('--no-sample') ? [] : ['--sample'];
// Flags count from where the user called, not from the project's folder.
const child = spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'up', ...sample, ...flags], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: 'inherit',
});
// A terminal's Ctrl-C reaches the child by itself; a supervisor's signal is handed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
