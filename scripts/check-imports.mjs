/** npm run imports: the rules of .dependency-cruiser.cjs, and a look at sources for doors that imports do not show. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib/setup.mjs';

/** An empty run must fail: a checker that cruises nothing finds nothing. */
const FEWEST_MODULES = 100;

const run = spawnSync(
  join(ROOT, 'node_modules/.bin/depcruise'),
  ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'],
  { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 },
);
let problems = [];
let modules = 0;
try {
  const { summary, modules: cruised } = JSON.parse(run.stdout);
  modules = cruised.filter((module) => module.source.startsWith('src/')).length;
  problems = summary.violations.map((v) => `${v.rule.name}: ${v.from} → ${v.to}`);
} catch {
  problems = [`dependency-cruiser failed: ${run.stderr || run.stdout}`];
}
if (modules < FEWEST_MODULES)
  problems.push(`only ${modules} modules were looked at; there should be at least ${FEWEST_MODULES}`);

/** Globals with a single door, which no import shows. */
const DOORS = [
  { what: 'process.env', pattern: /process\.env\b/, allowed: /^src\/config\// },
  { what: 'process.exit', pattern: /process\.exit\(/, allowed: /^src\/cli\// },
  { what: 'the wall clock', pattern: /\bDate\.now\(|new Date\(\)/, allowed: /^src\/(base|dashboard\/ui)\// },
  { what: 'Math.random', pattern: /Math\.random\(/, allowed: /^src\/(base|dashboard\/ui)\// },
];
for (const entry of readdirSync(join(ROOT, 'src'), { recursive: true })) {
  const file = `src/${entry.replaceAll('\\', '/')}`;
  if (!file.endsWith('.ts')) continue;
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  for (const { what, pattern, allowed } of DOORS)
    lines.forEach((line, i) => {
      const code = line.replace(/^\s*(\/?\*|\/\/).*/, '');
      if (pattern.test(code) && !allowed.test(file))
        problems.push(`${file}:${i + 1} uses ${what}; only ${allowed.source} may`);
    });
}
for (const problem of problems) console.error(problem);
console.error(`${modules} modules, ${problems.length} problems with imports`);
process.exit(problems.length === 0 ? 0 : 3);
