/** A report of attacks as lines that a person reads. */
import type { Robustness } from '../training/robustness/figures.ts';

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

export function attackTable(report: Robustness): string {
  const { model, data, crafter, clean, attacked, worst, worstPosts, epsSweep, flags, constraints } = report;
  const row = (name: string, cells: readonly string[]): string =>
    [name.padEnd(22), ...cells.map((cell) => cell.padStart(20))].join('');
  const figures = ({ accuracy, balancedAccuracy, macroF1, intervals }: Robustness['clean']): string[] => [
    percent(accuracy),
    `${percent(balancedAccuracy)} (${intervals.balancedAccuracy.map((x) => (100 * x).toFixed(0)).join('–')})`,
    percent(macroF1),
  ];
  const under = (run: Robustness['worst']): string[] => [
    ...figures(run),
    percent(run.success),
    percent(run.wordsReplaced),
  ];
  return [
    `${model.name} ${model.version} on ${data.name}, split ${data.split}, ${data.part}: ${report.n} posts, suite ${report.suite}`,
    `crafted on ${crafter.name}: ${crafter.why}`,
    ...(constraints ? [constraints.why] : []),
    row('', ['accuracy', 'balanced (95 %)', 'macro-F1', 'success', 'words replaced']),
    row('clean', figures(clean)),
    ...Object.entries(attacked).map(([name, run]) => row(run.withPosts ? name : `${name} *`, under(run))),
    row(worst.withPosts ? 'worst per post' : 'worst per post *', under(worst)),
    ...(worst.withPosts
      ? []
      : [
          ...(worstPosts ? [row('worst, sendable', under(worstPosts))] : []),
          '* moves the vectors of frozen encoders: no post need stand behind it, an upper bound on what an edited post can do',
        ]),
    ...epsSweep.flatMap(({ epsilon, attacked: swept }) =>
      Object.entries(swept)
        .filter(([name]) => name !== 'words' && name !== 'feature-space')
        .map(([name, run]) => row(`${name}, ε ${epsilon.toFixed(3)}`, under(run))),
    ),
    ...flags.map(({ flag, check, detail }) => `${flag}: ${check} failed (${detail})`),
  ].join('\n');
}
