/**
 * npm test: set-up, the checks, every suite, and a last line `N passed, N failed`.
 *   --full        also the long suites
 *   --only a,b    only these groups (see GROUPS)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { OUTCOME_FILE } from './lib/outcome-reporter.mjs';
import { build, install, ROOT, requireNode } from './lib/setup.mjs';

requireNode();
const full = process.argv.includes('--full');
const only = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1].split(',')
  : null;

/** Vitest projects that run together; broker and process suites get the machine to themselves. */
const GROUPS = [
  { name: 'unit', projects: ['unit', 'contract'] },
  { name: 'broker', projects: ['broker'] },
  { name: 'faults', projects: ['faults'] },
  { name: 'e2e', projects: ['e2e'] },
  { name: 'browser', projects: ['browser'] },
  ...(full ? [{ name: 'full', projects: ['full'] }] : []),
];

const started = Date.now();
const totals = { passed: 0, failed: 0 };
const summary = [];
/** The order of the unit tests and what a failure needs to be seen again: --sequence.seed. */
const seed = started;
/** What failed, said again at the very end: a log that keeps only its last lines still names it. */
const failures = [];
const note = (name, passed, failed, since) => {
  totals.passed += passed;
  totals.failed += failed;
  summary.push(
    `  ${name.padEnd(10)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed  ${Math.round((Date.now() - since) / 1000)} s`,
  );
};

function step(name, work) {
  const since = Date.now();
  try {
    work();
    note(name, 1, 0, since);
    return true;
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    failures.push(`${name}: ${error.message}`);
    note(name, 0, 1, since);
    return false;
  }
}

const node = (args, options = {}) => {
  const result = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.status !== 0) throw new Error(`${args.join(' ')} ended with ${result.status ?? result.signal}`);
};

/** @returns {import('./lib/outcome-reporter.mjs').Outcome} with a failure whenever vitest is not content */
function runVitest(projects) {
  rmSync(OUTCOME_FILE, { force: true });
  const { status, signal } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      `--sequence.seed=${seed}`,
      '--reporter=default',
      '--reporter=./scripts/lib/outcome-reporter.mjs',
    ],
    { cwd: ROOT, stdio: 'inherit' },
  );
  const outcome = existsSync(OUTCOME_FILE)
    ? JSON.parse(readFileSync(OUTCOME_FILE, 'utf8'))
    : { passed: 0, failures: [] };
  if (outcome.failures.length === 0 && (status !== 0 || outcome.passed === 0))
    outcome.failures.push({
      where: 'vitest',
      why: [`ended with ${status ?? signal}, ${outcome.passed} tests passed`],
    });
  return outcome;
}

const ready =
  step('set-up', () => {
    install();
    build();
    node(['dist/cli/main.js', 'kafka', 'install']);
  }) || process.argv.includes('--keep-going');

if (ready) {
  if (!only || only.includes('check'))
    step('check', () => {
      const result = spawnSync('npm', ['run', '--silent', 'check'], { cwd: ROOT, stdio: 'inherit' });
      if (result.status !== 0) throw new Error('npm run check found problems');
    });
  for (const { name, projects } of GROUPS) {
    if (only && !only.includes(name)) continue;
    const since = Date.now();
    const { passed, failures: failed } = runVitest(projects);
    for (const { where, why } of failed)
      failures.push(`${name}: ${where}`, ...why.map((line) => `  ${line}`));
    note(name, passed, failed.length, since);
  }
}

const datasets = process.env.TOCSIN_DATASETS;
if (failures.length > 0) console.log(`\nFailed (order: --sequence.seed=${seed}):\n${failures.join('\n')}`);
console.log('');
console.log(summary.join('\n'));
console.log(
  datasets
    ? 'Data: the fixtures and the real sets of TOCSIN_DATASETS.'
    : 'Data: the fixtures only (TOCSIN_DATASETS names no folder of real sets).',
);
if (ready) {
  (await import('tsx/esm/api')).register();
  const { probeBackends } = await import('../src/models/engine/backends.ts');
  const { cacheDir } = await import('../src/config/cache.ts');
  const states = probeBackends(cacheDir());
  const covered = ['ONNX Runtime', ...states.filter((state) => state.present).map(({ name }) => name)];
  const absent = states.filter((state) => !state.present).map(({ name, reason }) => `${name}: ${reason}`);
  console.log(
    `Backends: ${covered.join(', ')}.${absent.length > 0 ? ` Not covered: ${absent.join('; ')}.` : ''}`,
  );
}
console.log(
  `Took ${Math.round((Date.now() - started) / 1000)} s on Node ${process.versions.node}${full ? ', long suites included' : ''}.`,
);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);
