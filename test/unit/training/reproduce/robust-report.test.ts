/** A run of the honest split stands under both rules: its table with answers tipped where dev says, then as it was trained. */
import { expect, it } from 'vitest';
import { robustReport } from '../../../../src/training/reproduce/robust-report.ts';
import type { RunResult } from '../../../../src/training/reproduce/runs.ts';

const LABEL = [1, 1, 0, 0] as const;

function run(training: string, tip: number | null, clean: number[], adaptive: number[]): RunResult {
  return {
    key: {
      study: 'mmat-robust',
      data: 'CrisisMMD',
      dataSha256: '',
      event: 'srilanka_floods',
      scope: 'all',
      protocol: 'grouped',
      model: 'text-cnn',
      config: {},
      training,
      options: {},
      seed: 1,
    },
    ids: LABEL.map((_, i) => String(i)),
    probability: clean,
    label: LABEL,
    prior: 0.5,
    naiveBayes: [],
    attacked: { adaptive },
    tip,
    trainRows: 4,
    epochs: 1,
    caught: null,
    seconds: 1,
    engine: 'none',
  };
}

it('tips what is answered clean and under attack, each run where its own dev says', () => {
  // As trained, `hull` says yes of all; at a probability of 0.7 both classes are told apart.
  const hull = run('hull', Math.log(0.7 / 0.3), [0.9, 0.8, 0.6, 0.6], [0.8, 0.6, 0.6, 0.6]);
  const report = robustReport([run('none', 0, [0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]), hull]);
  expect(report).toContain('| convex hull | – | 100.0 / 100.0 / 100.0 | 75.0 / 75.0 / 73.3 |');
  const [tipped, asTrained] = report.split('With the logits as they were trained:') as [string, string];
  expect(tipped).toContain('25.0 over none; clean 0.0');
  expect(asTrained).toContain('0.0 over none; clean -50.0');
});

it('leaves answers as they are where nobody asked dev', () => {
  const report = robustReport([run('none', null, [0.9, 0.4, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1])]);
  expect(report).toContain('75.0 / 75.0 / 73.3 | 50.0 / 50.0 / 33.3 |');
});
