/**
 * A report of attacks as one HTML page that stands alone: figures, checks, and posts before and after. What posts say is
 * untrusted: every text is escaped, no script runs, nothing is fetched (Content-Security-Policy).
 */
import { createHash } from 'node:crypto';
import { PICTURE_SIDE } from '../../models/zoo/branches.ts';
import { escapeXml } from '../report/svg.ts';
import type { Piece, Shown, ShownAttack } from './examples.ts';
import type { AttackedFigures, Figures, Robustness } from './figures.ts';
import { encodePng } from './png.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --ground: #fff; --faint: #59636e; --line: #d1d9e0; --gone: #a40e26; --gone-ground: #ffebe9; --new: #0a5c2b; --new-ground: #dafbe1; --warn: #7a4a00; --warn-ground: #fff4d6 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --ground: #0d1117; --faint: #9198a1; --line: #3d444d; --gone: #ffb3ad; --gone-ground: #4c1315; --new: #9be9b0; --new-ground: #0f3d20; --warn: #f5d90a; --warn-ground: #3a2c00 } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right }
th:first-child, td:first-child { text-align: left }
.faint, figcaption { color: var(--faint); font-size: .875rem }
.warn { padding: .6rem .8rem; color: var(--warn); background: var(--warn-ground) }
article { padding: 1rem 0; border-bottom: 1px solid var(--line) }
blockquote { margin: .5rem 0; font-size: 1.0625rem; overflow-wrap: anywhere }
del { color: var(--gone); background: var(--gone-ground) }
ins { color: var(--new); background: var(--new-ground) }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0 }
img { width: 10rem; height: 10rem; image-rendering: pixelated; border: 1px solid var(--line) }
`;

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const text = (words: string): string => escapeXml(visible(words));

/** Characters that nobody sees, and those that turn the reading direction, by their code. */
const visible = (words: string): string =>
  words.replace(
    /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Bidi_Control}]/gu,
    (sign) => `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );

export function attackPage(report: Robustness, attacks: readonly ShownAttack[]): string {
  const { model, data, crafter, checks, flags } = report;
  const style = createHash('sha256').update(STYLE).digest('base64');
  const failed = flags.map(({ check, detail }) => `<li>${text(check)}: ${text(detail)}</li>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'sha256-${style}'">
<meta name="viewport" content="width=device-width">
<title>${text(model.name)} under attack</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${text(model.name)} under attack</h1>
<p>${text(model.version)} on ${text(data.name)}, split ${text(data.split)}, part ${text(data.part)}: ${report.n} posts, suite ${text(report.suite)}, pictures within ${report.epsilon.toFixed(4)}. Crafted on ${text(crafter.name)}: ${text(crafter.why)}.</p>
${report.constraints ? `<p class="faint">${text(report.constraints.why)}.</p>` : ''}
${failed ? `<div class="warn"><strong>OVERESTIMATED.</strong> Checks that failed: <ul>${failed}</ul></div>` : ''}
<p class="faint">Robust means: within these budgets, against these attacks.</p>
<table>
<tr><th scope="col">attack</th><th scope="col">accuracy</th><th scope="col">balanced</th><th scope="col">95 %</th><th scope="col">macro-F1</th><th scope="col">success</th><th scope="col">words replaced</th></tr>
${figureRow('clean', report.clean, ['', ''])}
${Object.entries(report.attacked)
  .map(([name, run]) => figureRow(named(name, run), run, [percent(run.success), percent(run.wordsReplaced)]))
  .join('\n')}
${figureRow(named('worst per post', report.worst), report.worst, [percent(report.worst.success), ''])}
${!report.worst.withPosts && report.worstPosts ? figureRow('worst per post of those that can be sent', report.worstPosts, [percent(report.worstPosts.success), '']) : ''}
</table>
<h2>Checks</h2>
<ul>${checks.map(({ check, passed, detail }) => `<li>${passed ? 'passed' : '<strong>failed</strong>'}: ${text(check)} <span class="faint">${text(detail)}</span></li>`).join('\n')}</ul>
${attacks.map(section).join('\n')}
</body>
</html>
`;
}

/** An attack that no post need stand behind is named so. */
const named = (name: string, { withPosts }: AttackedFigures): string =>
  withPosts ? name : `${name} (an upper bound: no post need stand behind it)`;

function figureRow(name: string, run: Figures, more: readonly string[]): string {
  const [low, high] = run.intervals.balancedAccuracy;
  const cells = [percent(run.accuracy), percent(run.balancedAccuracy), `${percent(low)} – ${percent(high)}`];
  return `<tr><th scope="row">${text(name)}</th>${[...cells, percent(run.macroF1), ...more].map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function section({ name, source, examples }: ShownAttack): string {
  const body = examples.length > 0 ? examples.map(article).join('\n') : '<p>It changed no post.</p>';
  return `<section><h2>${text(name)}</h2><p class="faint">${text(source)}</p>\n${body}</section>`;
}

function article({ truth, answers, fooled, pieces, picture, queries }: Shown): string {
  const said = answers
    .map(({ name, before, after }) => `${text(name)} ${percent(before)} → ${percent(after)}`)
    .join(', ');
  return `<article>
<p>${fooled ? '<strong>Fooled.</strong> ' : ''}True: ${text(truth.join(', '))}. Model: ${said}. <span class="faint">queries: ${queries}</span></p>
<blockquote dir="auto">${pieces.map(piece).join(' ')}</blockquote>
${picture ? pictures(picture) : ''}
</article>`;
}

function piece({ kind, text: words }: Piece): string {
  const shown = text(words);
  if (kind === 'same') return shown;
  return kind === 'gone' ? `<del>${shown}</del>` : `<ins>${shown}</ins>`;
}

function pictures({ before, after, difference, factor, linf, l2 }: NonNullable<Shown['picture']>): string {
  const figure = (bytes: Uint8Array, caption: string): string =>
    `<figure><img alt="${text(caption)}" src="data:image/png;base64,${encodePng(bytes, PICTURE_SIDE).toString('base64')}"><figcaption>${text(caption)}</figcaption></figure>`;
  const change = `difference × ${factor.toFixed(1)} (largest ${(255 * linf).toFixed(1)}/255, Euclidean ${l2.toFixed(2)})`;
  return `<div class="pictures">${figure(before, 'before')}${figure(after, 'after')}${figure(difference, change)}</div>`;
}
