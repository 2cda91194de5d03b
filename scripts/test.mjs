/**
 * npm test: set-up, the checks, every suite, and a last line `N passed, N failed`.
 *   --full        also the long suites
 *   --only a,b    only these groups (see GROUPS)
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
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

const FAILURE_LINES = 12;

/** The first lines of what failed in a report of vitest, with the file and the names that lead to the test. */
function failuresOf(group, { testResults }) {
  return testResults.flatMap((file) => {
    const path = relative(ROOT, file.name);
    const tests = file.assertionResults
      .filter(({ status }) => status !== 'passed')
      .map(({ status, fullName, failureMessages }) => [
        `${fullName} (${status})`,
        failureMessages.join('\n'),
      ]);
    if (tests.length === 0 && file.status === 'failed') tests.push(['the file itself', file.message]);
    return tests.map(([test, message]) => {
      const lines = stripVTControlCharacters(message ?? '')
        .split('\n')
        .filter((line) => line.trim() && !/node_modules|<anonymous>/.test(line))
        .slice(0, FAILURE_LINES);
      return [`${group}: ${path}: ${test}`, ...lines.map((line) => `  ${line}`)].join('\n');
    });
  });
}

const node = (args, options = {}) => {
  const result = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.status !== 0) throw new Error(`${args.join(' ')} ended with ${result.status ?? result.signal}`);
};

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
  const reports = join(ROOT, '.cache', 'test');
  mkdirSync(reports, { recursive: true });
  for (const { name, projects } of GROUPS) {
    if (only && !only.includes(name)) continue;
    const since = Date.now();
    const report = join(reports, `${name}.json`);
    rmSync(report, { force: true });
    const run = spawnSync(
      process.execPath,
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        ...projects.flatMap((project) => ['--project', project]),
        `--sequence.seed=${seed}`,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      { cwd: ROOT, stdio: 'inherit' },
    );
    let passed = 0;
    let failed = 0;
    try {
      const json = JSON.parse(readFileSync(report, 'utf8'));
      failures.push(...failuresOf(name, json));
      passed = json.numPassedTests;
      // A test that did not run is not a passed test.
      failed = json.numFailedTests + json.numPendingTests + json.numTodoTests;
      failed += json.testResults.filter(
        (file) => file.status === 'failed' && file.assertionResults.length === 0,
      ).length;
    } catch {
      failed = 1;
      failures.push(`${name}: vitest left no report`);
    }
    if (run.status !== 0 && failed === 0) failed = 1;
    if (passed === 0 && failed === 0) failed = 1;
    note(name, passed, failed, since);
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
