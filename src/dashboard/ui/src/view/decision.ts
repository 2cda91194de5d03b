/** A decision as people read it: word, calibrated probability, bar. The same in cards and in the drawer. */
import { html, svg, type TemplateResult } from 'lit';
import type { Decision, TaskScore } from '../../../../event/records.ts';
import { decisionWord, percent } from '../format.ts';
import { type IconName, icon } from './icons.ts';

const GLYPHS: Readonly<Record<Decision, IconName>> = { yes: 'check', no: 'minus', unsure: 'question' };

/** A bar of 0 to 100 %, drawn by attributes: the security policy allows no inline styles. */
export function bar(probability: number): TemplateResult {
  const filled = `${Math.round(probability * 1_000) / 10}%`;
  return html`
    <svg class="bar" width="100%" height="6" aria-hidden="true" focusable="false">
      ${svg`<rect class="bar-track" width="100%" height="6" rx="3"/><rect class="bar-fill" width=${filled} height="6" rx="3"/>`}
    </svg>
  `;
}

export function decisionMark(score: TaskScore | undefined): TemplateResult {
  if (!score) return html`<span class="decision decision-none">Not scored</span>`;
  const { decision, probability } = score;
  return html`
    <span class="decision decision-${decision}" title="Calibrated probability that the post informs">
      ${icon(GLYPHS[decision])}<span class="word">${decisionWord(decision)}</span>
      ${
        probability === null
          ? html`<span class="probability">not scored</span>`
          : html`${bar(probability)}<span class="probability">${percent(probability)}</span>`
      }
    </span>
  `;
}

/** What one modality says by itself. */
export const modalityBar = (name: string, probability: number): TemplateResult =>
  html`<div class="modality"><span>${name}</span>${bar(probability)}<span>${percent(probability)}</span></div>`;
