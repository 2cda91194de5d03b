/** Writes an evaluation as a folder: report.md, report.json and three plots. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtefactEvaluation } from '../evaluate.ts';
import { TASKS } from '../tasks.ts';
import { reportPage } from './markdown.ts';
import { confusionChart, lineChart } from './svg.ts';

/** The files of a report by name. */
export function reportFiles(evaluation: ArtefactEvaluation): Readonly<Record<string, string>> {
  const { curves, metrics, task } = evaluation;
  const { tp, fp, fn, tn } = metrics.confusion;
  const share = { from: 0, to: 1 };
  return {
    'report.md': reportPage(evaluation),
    'report.json': `${JSON.stringify(evaluation, null, 1)}\n`,
    'reliability.svg': lineChart(
      'Reliability',
      { name: 'probability', ...share },
      { name: 'share labelled yes', ...share },
      curves.reliability.map(({ predicted, observed, interval }) => ({
        x: predicted,
        y: observed,
        interval,
      })),
      { diagonal: true, dots: true },
    ),
    'risk-coverage.svg': lineChart(
      'Accuracy by coverage',
      { name: 'share of posts answered', ...share },
      { name: 'accuracy', from: 0.4, to: 1 },
      curves.riskCoverage
        .filter(({ coverage }) => coverage >= 0.05)
        .map(({ coverage, accuracy }) => ({ x: coverage, y: Math.max(0.4, accuracy) })),
    ),
    'confusion.svg': confusionChart('Confusion matrix', TASKS[task].classes, [
      [tn, fp],
      [fn, tp],
    ]),
  };
}

export async function writeReport(folder: string, evaluation: ArtefactEvaluation): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(reportFiles(evaluation)))
    await writeFile(join(folder, name), content);
}
