import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';
import { ROOT } from '../../support/tocsin.ts';
import { unknownMetrics } from './metric-names.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const dashboard = JSON.parse(text('grafana/dashboards/tocsin-overview.json')) as Dashboard;
const expressions = dashboard.panels.flatMap((panel) => panel.targets.map(({ expr }) => expr));

/** Metrics behind a label that the expression groups by or shows. */
const groupedLabels = (expr: string): string[] =>
  [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) =>
    (list ?? '').split(',').map((label) => label.trim()),
  );

describe('the overview dashboard', () => {
  it('is what its script makes', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/make-dashboard.mjs', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('has a fixed address and asks the data source that is chosen', () => {
    expect(dashboard.uid).toBe('tocsin-overview');
    expect(dashboard.templating.list).toContainEqual(
      expect.objectContaining({ name: 'datasource', type: 'datasource' }),
    );
    for (const panel of dashboard.panels)
      for (const { uid } of [panel.datasource, ...panel.targets.map(({ datasource }) => datasource)])
        expect(uid).toMatch(/^\$\{datasource\}$/);
  });

  it('asks only for metrics that exist, with labels that they have', async () => {
    expect(expressions.length).toBeGreaterThan(20);
    for (const expr of expressions) expect([expr, await unknownMetrics(expr)]).toEqual([expr, []]);
  });

  it('groups only by labels that the metric has', () => {
    for (const expr of expressions) {
      const name = /tocsin_\w+/.exec(expr)?.[0].replace(/_(bucket|sum|count)$/, '');
      if (name === undefined) continue;
      const labels = CATALOGUE[name as keyof typeof CATALOGUE].labels;
      const unknown = groupedLabels(expr).filter((label) => label !== 'le' && !labels.includes(label));
      expect([expr, unknown]).toEqual([expr, []]);
    }
  });

  it('shows every metric that an alert rule watches', () => {
    const rules = text('deploy/prometheus/rules/tocsin.yaml');
    const watched = new Set(rules.match(/\btocsin_\w+/g));
    expect(watched.size).toBeGreaterThan(3);
    const asked = expressions.join('\n');
    expect([...watched].filter((name) => !asked.includes(name))).toEqual([]);
  });

  it('has panels that do not overlap', () => {
    const cells = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([title, cells.get(`${x} ${y}`)]).toEqual([title, undefined]);
          expect(x).toBeLessThan(24);
          cells.set(`${x} ${y}`, title);
        }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  it('is provisioned read-only, beside a data source', () => {
    const { providers } = parse(text('grafana/provisioning/dashboards/tocsin.yaml')) as {
      providers: object[];
    };
    expect(providers).toEqual([expect.objectContaining({ type: 'file', allowUiUpdates: false })]);
    const { datasources } = parse(text('grafana/provisioning/datasources/prometheus.yaml')) as {
      datasources: object[];
    };
    expect(datasources).toEqual([expect.objectContaining({ type: 'prometheus', isDefault: true })]);
  });
});
