/** `tocsin reproduce mmat|mafn`: the papers' tables, run on real data, ours beside theirs. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { cacheDir } from '../config/cache.ts';
import { createLog } from '../metrics/log.ts';
import type { Dataset } from '../training/dataset.ts';
import type { RumourStudy } from '../training/reproduce/rumour-study.ts';
import type { RunKey, RunResult } from '../training/reproduce/runs.ts';
import type { Task } from '../training/tasks.ts';
import { openAskedEngine, withBackendFlag } from './backend-flag.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const PAPERS = ['mmat', 'mafn'] as const;
type Paper = (typeof PAPERS)[number];

/** Shows in minutes that it works, not what comes out. */
const QUICK = {
  mmat: { seeds: 2, options: { maxEpochs: 3 } },
  mafn: { seeds: 1, options: { maxEpochs: 1, maxTokens: 32 } },
} as const;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Every data set of the task under a folder: the folder itself, or those of its children that a reader knows. */
async function dataSetsIn(dir: string, task: Task): Promise<Dataset[]> {
  const { readDataset } = await import('../training/read-dataset.ts');
  const found: Dataset[] = [];
  const children = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const path of [dir, ...children.map(({ name }) => join(dir, name))])
    try {
      found.push(await readDataset(path, { task, now: systemClock.now() }));
    } catch (thrown) {
      // No reader knows the folder, or it has no labels for the task: it is not what is looked for.
      if (!(thrown instanceof TocsinError && ['ARCHIVE_UNREADABLE', 'BAD_USAGE'].includes(thrown.code)))
        throw thrown;
    }
  return found;
}

interface Part {
  readonly data: Dataset;
  readonly plan: readonly RunKey[];
}

/** The rumour study, kept in a file of its own; null where it is not there and nothing is to be run. */
async function studied(
  data: Dataset,
  seeds: readonly number[],
  out: string,
  signal: AbortSignal,
): Promise<RumourStudy | null> {
  const file = join(out, 'rumour-study.json');
  const made = JSON.stringify({ data: data.sha256, seeds });
  const before = await readFile(file, 'utf8').catch(() => null);
  if (before !== null) {
    const kept = JSON.parse(before) as { made: string; study: RumourStudy };
    if (kept.made === made) return kept.study;
  }
  if (signal.aborted) return null;
  const { openPictures, hashesOf } = await import('../training/pictures.ts');
  const { openEncoders } = await import('../training/encoders.ts');
  const { studyPosts } = await import('../training/reproduce/rumour-features.ts');
  const { styleOf } = await import('../emit/style.ts');
  const { studyRumours } = await import('../training/reproduce/rumour-study.ts');
  const pictures = openPictures({ keepLarge: true });
  const hashes = await hashesOf(data.examples, pictures);
  const log = createLog('reproduce', 'warn');
  const encoders = await openEncoders(['sentence', 'imageFeatures'], {
    cacheDir: cacheDir(),
    threads: 2,
    log,
  });
  try {
    const posts = await studyPosts(data, { encoders, pictures, hashes, styleOf });
    const dev = data.examples.filter(({ published }) => published['official'] === 'train');
    const study = studyRumours(posts, new Set(dev.map(({ event }) => event)), seeds, say);
    await mkdir(out, { recursive: true });
    await writeFile(file, `${JSON.stringify({ made, study })}\n`);
    return study;
  } finally {
    await encoders.close();
  }
}

/** The published split of the posts that count, once without leaks, and once as it is where that is another one. */
async function protocolsOf(whole: Dataset, scope: string): Promise<string[]> {
  const { inScope } = await import('../training/reproduce/plan.ts');
  const data = { ...whole, examples: whole.examples.filter((example) => inScope(example, scope)) };
  const { openPictures, hashesOf } = await import('../training/pictures.ts');
  const { splitBy } = await import('../training/splits.ts');
  const hashes = await hashesOf(data.examples, openPictures());
  const [disjoint, published] = ['official-disjoint', 'official'].map((protocol) => {
    const { train, dev, test } = splitBy(data, protocol, 1, hashes);
    return JSON.stringify([train, dev, test]);
  });
  return disjoint === published ? ['official-disjoint'] : ['official-disjoint', 'official'];
}

const CHINESE_ENCODER = 'bge-small-zh';

/** Throws DEPENDENCY_MISSING for an encoder that is not installed. */
async function checkInstalled(encoder: string): Promise<void> {
  const { openCatalogued } = await import('../models/encoders/catalogued.ts');
  const log = createLog('reproduce', 'warn');
  const opened = await openCatalogued({ cacheDir: cacheDir(), threads: 1, log })(encoder, 'text');
  await opened.close();
}

/** Puts the report into a document, between the paper's marks. */
async function putInto(file: string, paper: Paper, report: string): Promise<void> {
  const [begin, end] = [`<!-- ${paper}:begin -->`, `<!-- ${paper}:end -->`];
  const text = await readFile(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new TocsinError('BAD_USAGE', `Writing the report into ${file}: it has no ${begin} … ${end}.`);
  await writeFile(file, `${text.slice(0, from + begin.length)}\n\n${report}\n${text.slice(to)}`);
}

/** How long the rest will take if it goes on like that. */
function remaining(results: readonly RunResult[], left: number): string {
  const done = results.filter(({ seconds }) => seconds > 0);
  if (done.length === 0) return 'unknown time';
  const mean = done.reduce((sum, { seconds }) => sum + seconds, 0) / done.length;
  return `about ${Math.ceil((mean * left) / 60)} min`;
}

async function reproduce(paper: Paper, flags: Flags): Promise<void> {
  const { mafnTwitterPlan, mafnWeiboPlan, mmatPairsPlan, mmatPlan, robustPlan, seedsUpTo, WEIBO_SCOPE } =
    await import('../training/reproduce/plan.ts');
  const { executePlan, executeRobust } = await import('../training/reproduce/execute.ts');
  const { openRuns } = await import('../training/reproduce/runs.ts');
  const { writeReport } = await import('../training/reproduce/report.ts');
  const { claimsOf } = await import('../training/reproduce/figures.ts');
  const { openPictures, hashesOf } = await import('../training/pictures.ts');

  const quick = flags['quick'] === true;
  const dir = resolve(String(flags['data']));
  const out = resolve(String(flags['out'] ?? join(cacheDir(), 'reproduce', paper)));
  const options = {
    seeds: seedsUpTo(quick ? QUICK[paper].seeds : Number(flags['seeds'])),
    options: {
      ...(flags['maxEpochs'] === undefined ? {} : { maxEpochs: Number(flags['maxEpochs']) }),
      ...(flags['tokens'] === undefined ? {} : { maxTokens: Number(flags['tokens']) }),
      ...(quick ? QUICK[paper].options : {}),
    },
  };
  const short = { ...options, short: quick };
  const named = (sets: readonly Dataset[], name: string): Dataset | undefined =>
    sets.find((set) => set.name.startsWith(name));
  const parts: Part[] = [];
  const rumours = await dataSetsIn(dir, 'rumour');
  const mediaEval = named(rumours, 'MediaEval');
  if (paper === 'mmat') {
    const crisisMmd = named(await dataSetsIn(dir, 'informative'), 'CrisisMMD');
    if (crisisMmd) {
      parts.push({ data: crisisMmd, plan: mmatPlan(crisisMmd, options) });
      parts.push({ data: crisisMmd, plan: robustPlan(crisisMmd, short) });
    }
    if (mediaEval) parts.push({ data: mediaEval, plan: mmatPairsPlan(mediaEval, short) });
  } else {
    const { maxEpochs: _, ...rest } = options.options;
    const inFull =
      flags['comparisonInFull'] === true && options.options.maxEpochs !== undefined
        ? { ...options, options: rest, short: true }
        : null;
    const ways = [short, ...(inFull ? [inFull] : [])];
    if (mediaEval) {
      const protocols = await protocolsOf(mediaEval, 'pictured');
      for (const way of ways)
        parts.push({ data: mediaEval, plan: mafnTwitterPlan(mediaEval, protocols, way) });
    }
    const weibo = named(rumours, 'Weibo');
    const encoder = String(flags['chineseEncoder'] ?? CHINESE_ENCODER);
    if (weibo) {
      // Refused now, not after hours of other runs.
      if (flags['doneOnly'] !== true) await checkInstalled(encoder);
      const protocols = await protocolsOf(weibo, WEIBO_SCOPE);
      for (const way of ways)
        parts.push({ data: weibo, plan: mafnWeiboPlan(weibo, protocols, encoder, way) });
    }
  }
  if (parts.length === 0)
    throw new TocsinError('BAD_USAGE', `Reproducing ${paper}: no data set for it lies in ${dir}.`);

  const stop = new AbortController();
  if (flags['doneOnly'] === true) stop.abort();
  process.once('SIGINT', () => stop.abort());
  const tf = await openAskedEngine(flags);
  const log = createLog('reproduce', 'warn');
  const study =
    paper === 'mafn' && mediaEval ? await studied(mediaEval, options.seeds, out, stop.signal) : null;
  const results: RunResult[] = [];
  const claims = new Map<string, number>();
  for (const { data, plan } of parts) {
    const hashes = await hashesOf(data.examples, openPictures());
    for (const [id, claim] of claimsOf(data.examples, hashes)) claims.set(id, claim);
    const store = openRuns(join(out, 'runs'));
    const deps = {
      tf,
      clock: systemClock,
      log,
      store,
      hashes,
      encoders: { cacheDir: cacheDir(), threads: 2 },
      signal: stop.signal,
    };
    say(`${data.name}: ${plan.length} runs`);
    const robust = ['mmat-robust', 'mmat-pairs'].includes(plan[0]?.study ?? '');
    const execute = robust ? executeRobust : executePlan;
    results.push(
      ...(await execute(
        {
          ...deps,
          report: (done, of, result, found) => {
            const { event, protocol, model, training, seed } = result.key;
            const what = `${event ?? data.name} ${protocol} ${model} ${training} seed ${seed}`;
            say(
              `${done}/${of} ${what}: ${found ? 'done before' : `${result.epochs} epochs, ${result.seconds.toFixed(0)} s`}; ${remaining([result], of - done)} left`,
            );
          },
        },
        data,
        plan,
      )),
    );
  }
  await mkdir(out, { recursive: true });
  const report = join(out, 'report.md');
  const text = writeReport(paper, results, claims, study);
  await writeFile(report, text);
  if (flags['into'] !== undefined) await putInto(resolve(String(flags['into'])), paper, text);
  process.stdout.write(`${report}\n`);
}

export function register(program: Command): void {
  withBackendFlag(program.command('reproduce'))
    .description("runs the papers' tables; goes on where it stopped")
    .argument('<paper>', PAPERS.join(' or '))
    .requiredOption('--data <dir>', 'folder of a data set, or of several')
    .option('--seeds <n>', 'runs per cell', '5')
    .option('--out <dir>', 'where runs and report lie')
    .option('--into <file>', 'also puts the report into this document, between the marks of the paper')
    .option('--done-only', 'runs nothing: the report from what is done')
    .option('--max-epochs <n>', 'fewer epochs than the recipes say')
    .option('--tokens <n>', 'fewer tokens of a text than 64 (not for Weibo)')
    .option(
      '--comparison-in-full',
      'mafn: also the rows that the comparison rests on with the paper’s own epochs',
    )
    .option('--chinese-encoder <id>', 'mafn: the text encoder for Weibo', CHINESE_ENCODER)
    .option('--quick', 'few seeds, epochs and rows: shows that it works, not what comes out')
    .action(async (paper: string, flags: Flags) => {
      try {
        const known = PAPERS.find((name) => name === paper);
        if (!known) throw new TocsinError('BAD_USAGE', `There is no paper ${paper}: ${PAPERS.join(' or ')}.`);
        await reproduce(known, flags);
        process.exitCode = EXIT.ok;
      } catch (thrown) {
        reportFailure('reproduce', thrown);
      }
    });
}
