/** Run files: where a worker process answers, for people and for Prometheus' file_sd_configs. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../base/alive.ts';

/**
 * Writes DATA/run/<service>.<pid>.json and its .targets.json, and clears away those that a killed process left.
 * @param address host:port of its metrics. The returned function removes the files again.
 */
export function writeRunFile(dataDir: string, service: string, address: string): () => void {
  const folder = join(dataDir, 'run');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const pid = Number(/^[a-z]+\.(\d+)\.(?:targets\.)?json$/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(folder, name), { force: true });
  }
  const base = join(folder, `${service}.${process.pid}`);
  const targets = [{ targets: [address], labels: { service } }];
  writeFileSync(`${base}.json`, JSON.stringify({ service, pid: process.pid, address }));
  writeFileSync(`${base}.targets.json`, JSON.stringify(targets));
  return () => {
    for (const suffix of ['.json', '.targets.json']) rmSync(base + suffix, { force: true });
  };
}
