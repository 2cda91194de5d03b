/** Starts a worker thread on one of our modules, from sources (tsx, vitest) as well as from the build. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { runnableModule } from './module-url.ts';

/**
 * @param from the caller's `import.meta.url`
 * @param specifier relative, without extension, e.g. `./score-thread`
 */
export function startThread(from: string, specifier: string, options: WorkerOptions): Worker {
  const { url, execArgv } = runnableModule(from, specifier);
  if (execArgv.length === 0) return new Worker(url, options);
  // `--import tsx` has no effect on the entry of a thread (Node 20), so the thread registers tsx itself.
  const tsx = new URL(
    'dist/esm/api/index.mjs',
    pathToFileURL(createRequire(from).resolve('tsx/package.json')),
  );
  const [api, entry] = [JSON.stringify(tsx.href), JSON.stringify(url.href)];
  const code = `import(${api}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { ...options, eval: true });
}
