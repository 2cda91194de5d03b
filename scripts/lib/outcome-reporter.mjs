/** A reporter of vitest for scripts/test.mjs: how many tests passed, and all that did not, as one JSON file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ROOT } from './setup.mjs';

/**
 * Of the last run.
 * @typedef {{ passed: number, failures: { where: string, why: string[] }[] }} Outcome
 */
export const OUTCOME_FILE = join(ROOT, '.cache', 'test', 'outcome.json');

const LINES = 12;

export default class OutcomeReporter {
  /** A test that did not run has failed, and so has whatever threw outside of a test: a worker that died, a rejection that nobody awaits. */
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    const failures = unhandledErrors.map((error) => ({ where: 'outside of the tests', why: lines([error]) }));
    for (const module of modules) {
      const fail = (name, errors) =>
        failures.push({ where: `${module.relativeModuleId}: ${name}`, why: lines(errors) });
      const around = [module, ...module.children.allSuites()].flatMap((part) => part.errors());
      if (around.length > 0) fail('around its tests', around);
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed') passed += 1;
        else fail(`${test.fullName} (${state})`, errors ?? []);
      }
    }
    mkdirSync(dirname(OUTCOME_FILE), { recursive: true });
    writeFileSync(OUTCOME_FILE, JSON.stringify({ passed, failures }));
  }
}

/** The first lines of what was thrown and of its causes, without the frames of libraries. */
function lines(errors) {
  const withCauses = errors.flatMap((error) => (error.cause ? [error, error.cause] : [error]));
  return stripVTControlCharacters(withCauses.map(({ stack, message }) => stack || message).join('\n'))
    .split('\n')
    .filter((line) => line.trim() && !/node_modules|<anonymous>|node:/.test(line))
    .slice(0, LINES);
}
