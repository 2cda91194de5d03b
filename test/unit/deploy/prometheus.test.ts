import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findPrometheus, promtool } from '../../support/prometheus.ts';
import { ROOT } from '../../support/tocsin.ts';
import { unknownMetrics } from './metric-names.ts';

const RULES = 'deploy/prometheus/rules/tocsin.yaml';
const TESTS = 'deploy/prometheus/tests/tocsin_test.yaml';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface TestCase {
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly object[] }[];
}

const read = (path: string): unknown => parse(readFileSync(join(ROOT, path), 'utf8'));
const rules = (read(RULES) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const cases = (read(TESTS) as { tests: TestCase[] }).tests.flatMap((test) => test.alert_rule_test);

describe('alert rules', () => {
  beforeAll(() => {
    findPrometheus('promtool');
  }, 300_000);

  it('are rules and a configuration in the eyes of promtool', () => {
    expect(promtool('check', 'rules', RULES)).toMatchObject({ status: 0 });
    expect(promtool('check', 'config', 'deploy/prometheus/prometheus.yml')).toMatchObject({ status: 0 });
  });

  it('fire and stay silent as their tests say', () => {
    const { status, output } = promtool('test', 'rules', TESTS);
    expect(output).toContain('SUCCESS');
    expect(status).toBe(0);
  });

  it('fail their tests when a limit is moved, so the tests can fail', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-rules-'));
    try {
      const text = readFileSync(join(ROOT, RULES), 'utf8');
      const tests = readFileSync(join(ROOT, TESTS), 'utf8');
      const moved = [
        text.replace('> 600)', '> 6000)').replace('or absent', 'or 0 * absent'),
        text.replace('> 1000', '> 100000'),
        text.replace('max(abs(', 'min(abs('),
        text.replace('> 0.01', '> 0.5'),
        text.replace('and sum by (topic) (deriv(tocsin_consumer_lag_records[10m])) > 0', ''),
        text.replace('(increase(tocsin_model_refusals_total[10m])) > 0', '(tocsin_model_refusals_total) > 0'),
        text.replace('min(tocsin_model_sequence) > 0', 'min(tocsin_model_sequence) > 2'),
        text.replace('tocsin_gate_refused_in_row) >= 3', 'tocsin_gate_refused_in_row) >= 2'),
        text.replace('action=~"rollback|withdraw"', 'action=~"withdraw"'),
        text.replace('up{service=~"gate|sidecar"} == 1', 'up{service=~"gate|sidecar"} >= 0'),
        text.replace('[1h]))\n', '[3h]))\n'),
        text.replace(' and tocsin_gate_step_timestamp_seconds > 0', ''),
        text.replace('> 1800', '> 18000'),
        text.replace('drift_alarms_total[1h])) > 0', 'drift_alarms_total[1h])) > 1'),
      ];
      for (const [i, changed] of moved.entries()) {
        expect(changed).not.toBe(text);
        writeFileSync(join(folder, 'rules.yaml'), changed);
        writeFileSync(join(folder, 'test.yaml'), tests.replace('../rules/tocsin.yaml', 'rules.yaml'));
        expect([i, promtool('test', 'rules', join(folder, 'test.yaml')).status]).toEqual([i, 1]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('are eleven, each with severity, summary, description and a runbook that is there', () => {
    expect(rules.map(({ alert }) => alert).sort()).toEqual([
      'TocsinCanaryStuck',
      'TocsinCandidatesRefused',
      'TocsinDeadLetterRate',
      'TocsinDrift',
      'TocsinGateOrSidecarGone',
      'TocsinLagGrowing',
      'TocsinLedgerImbalance',
      'TocsinModelRefused',
      'TocsinModelsDiffer',
      'TocsinNoEvents',
      'TocsinRolledBack',
    ]);
    for (const { alert, labels, annotations } of rules) {
      expect(labels['severity']).toMatch(/^(warning|critical)$/);
      expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook_url', 'summary']);
      const runbook = annotations['runbook_url'] ?? '';
      expect(existsSync(join(ROOT, runbook))).toBe(true);
      expect(readFileSync(join(ROOT, runbook), 'utf8')).toContain(`# ${alert}\n`);
    }
  });

  it('have a firing and a silent case each', () => {
    for (const { alert } of rules) {
      const own = cases.filter(({ alertname }) => alertname === alert);
      expect(own.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
      expect(own.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
    }
  });

  it('ask only for metrics that exist, with labels that they have', async () => {
    for (const { alert, expr } of rules) expect([alert, await unknownMetrics(expr)]).toEqual([alert, []]);
    expect(await unknownMetrics('rate(tocsin_nothing_total[5m])')).toEqual(['tocsin_nothing_total']);
  });
});
