/** A real Prometheus with our configuration beside `tocsin up --sample`: what it finds, and what the dashboard would show. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { findPrometheus } from '../support/prometheus.ts';
import { eventually, ROOT, startTocsin, temporaryFolder } from '../support/tocsin.ts';

/** Series that exist only after a fault, because their reasons are too many to be shown as 0, and the sidecar's, which `up` does not start. */
const NOT_HERE = ['tocsin_slice_failures_total', 'tocsin_sidecar_'];

interface Config {
  readonly global: Record<string, string>;
  rule_files: string[];
  readonly scrape_configs: { file_sd_configs: { files: string[]; refresh_interval: string }[] }[];
}
interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
}
interface RuleGroup {
  readonly rules: readonly { readonly name: string; readonly health: string }[];
}
interface Sample {
  readonly value: readonly [number, string];
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Our configuration, with nothing changed but how often it looks and where the data directory and the rules lie. */
function configuration(dataDir: string): string {
  const config = parse(readFileSync(join(ROOT, 'deploy/prometheus/prometheus.yml'), 'utf8')) as Config;
  config.global['scrape_interval'] = '1s';
  config.global['evaluation_interval'] = '1s';
  config.rule_files = config.rule_files.map((path) => join(ROOT, 'deploy/prometheus', path));
  for (const discovery of config.scrape_configs.flatMap((scrape) => scrape.file_sd_configs)) {
    discovery.files = discovery.files.map((path) => path.replace('../../.tocsin', dataDir));
    discovery.refresh_interval = '1s';
  }
  return stringify(config);
}

/** Starts Prometheus on a free port and gives the address of its API. */
async function startPrometheus(folder: string, dataDir: string): Promise<string> {
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, configuration(dataDir));
  const child = spawn(findPrometheus('prometheus'), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    '--web.listen-address=127.0.0.1:0',
  ]);
  const exited = once(child, 'exit');
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let said = '';
  child.stdout.resume();
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const address = await eventually('Prometheus to listen', () => {
    const found = /msg="Listening on" address=(\S+)/.exec(said)?.[1];
    if (!found) throw new Error(said.slice(-2_000));
    return found;
  });
  return `http://${address}/api/v1`;
}

it('finds every process, loads the rules, and has data for every panel of the dashboard', async () => {
  const folder = temporaryFolder('tocsin-prometheus-');
  cleanups.push(() => folder.remove());
  const dataDir = join(folder.path, 'data');
  const running = startTocsin(['up', '--port', '0', '--data', dataDir, '--sample']);
  cleanups.push(() => running.kill('SIGTERM'));
  await eventually('the URL', () => /^http:\/\/\S+$/m.exec(running.stdout())?.[0]);
  const api = await startPrometheus(folder.path, dataDir);
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(api + path)).json()) as { status: string; data: T; error?: string };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };

  await eventually('every process is scraped', async () => {
    const { activeTargets } = await ask<{ activeTargets: Target[] }>('/targets');
    const up = activeTargets
      .filter((target) => target.health === 'up')
      .map(({ labels }) => labels['service']);
    if (up.length < activeTargets.length || up.length < 4) throw new Error(JSON.stringify(activeTargets));
    expect(up.sort()).toEqual(['claims', 'gate', 'label', 'media', 'scorer', 'serve']);
    return true;
  });
  await eventually('every rule is evaluated', async () => {
    const { groups } = await ask<{ groups: RuleGroup[] }>('/rules');
    const healthy = groups.flatMap((group) => group.rules).filter((rule) => rule.health === 'ok');
    return healthy.length === 11;
  });

  const { panels } = JSON.parse(
    readFileSync(join(ROOT, 'grafana/dashboards/tocsin-overview.json'), 'utf8'),
  ) as {
    panels: { targets: { expr: string }[] }[];
  };
  const expressions = panels.flatMap((panel) => panel.targets.map((target) => target.expr));
  expect(expressions.length).toBeGreaterThan(10);
  await eventually('data for every panel', async () => {
    const empty: string[] = [];
    for (const expr of expressions) {
      const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '1m');
      const { result } = await ask<{ result: Sample[] }>(`/query?query=${encodeURIComponent(query)}`);
      if (result.every(({ value }) => value[1] === 'NaN')) empty.push(expr);
    }
    const missing = empty.filter((expr) => !NOT_HERE.some((name) => expr.includes(name)));
    if (missing.length > 0) throw new Error(`no data for ${missing.join('\n')}`);
    return true;
  });
});
