/** The largest claims, what is known of each, and the buttons by which a person rules on it. */
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { RulingValue } from '../../../../event/records.ts';
import type { ClaimView } from '../../../wire.ts';
import { age, count, duration, percent, rumourReasons } from '../format.ts';
import { type OwnRuling, type State, topClaims } from '../store.ts';
import type { Actions } from './actions.ts';
import { icon } from './icons.ts';
import { pictureButton } from './picture.ts';

const MAX_CLAIMS = 12;

const RULINGS: readonly { readonly value: RulingValue; readonly word: string }[] = [
  { value: 'true', word: 'True' },
  { value: 'false', word: 'False' },
  { value: 'unclear', word: 'Unclear' },
];

const rulingWord = (value: RulingValue): string =>
  (RULINGS.find((ruling) => ruling.value === value)?.word ?? value.replaceAll('_', ' ')).toLowerCase();

export function claimsPanel(
  state: State,
  actions: Actions,
  now: number,
  isOutdated: boolean,
  isOpen: boolean,
): TemplateResult {
  const claims = topClaims(state, MAX_CLAIMS);
  const total = state.claims.size;
  return html`
    <details class="claims" ?open=${isOpen}>
      <summary><h2>Claims</h2><span class="hint">${
        total > claims.length ? `largest ${claims.length} of ${count(total)}` : count(total)
      }</span></summary>
      <p class="hint">
        Posts that share a picture or nearly the same words. A rumour score says how a claim is written and pictured, not
        whether it is true.
      </p>
      ${
        claims.length === 0
          ? html`<p class="empty">No claims yet.</p>`
          : html`<ol class="claim-list fresh-only">
              ${repeat(
                claims,
                (claim: ClaimView) => claim.claimId,
                (claim: ClaimView) => claimItem(state, claim, actions, now, isOutdated),
              )}
            </ol>`
      }
    </details>
  `;
}

function claimItem(
  state: State,
  claim: ClaimView,
  actions: Actions,
  now: number,
  isOutdated: boolean,
): TemplateResult {
  const own = state.rulings.get(claim.claimId);
  return html`
    <li class="claim" data-claim=${claim.claimId}>
      <p class="headline" dir="auto">${claim.headline === '' ? html`<em>Picture without text</em>` : claim.headline}</p>
      <p class="claim-facts">
        <span title="Posts">${icon('posts')}${count(claim.posts)} ${claim.posts === 1 ? 'post' : 'posts'}</span>
        <span title="Authors">${icon('people')}${count(claim.authors)} ${claim.authors === 1 ? 'author' : 'authors'}</span>
        <span title="From the first post to the last">${icon('clock')}${span(claim)}</span>
      </p>
      ${
        claim.previews.length > 0
          ? html`<div class="previews">
              ${claim.previews.slice(0, 4).map((preview, index) =>
                pictureButton(
                  claim.claimId,
                  {
                    id: `claim-${index}`,
                    outcome: 'ready',
                    reason: null,
                    reasonText: null,
                    preview,
                    thumbhash: null,
                  },
                  state.revealed.has('all') !== state.revealed.has(`${claim.claimId}/claim-${index}`),
                  actions,
                ),
              )}
            </div>`
          : nothing
      }
      <div class="rumour">${rumourMark(claim)}${rulingMark(claim, own, actions, now, isOutdated)}</div>
      ${whyRumour(claim)}
      ${own?.problem ? html`<p class="problem" role="alert">${own.problem}</p>` : nothing}
    </li>
  `;
}

const span = (claim: ClaimView): string => {
  const ms = claim.lastSeen - claim.firstSeen;
  return ms < 60_000 ? 'within a minute' : `over ${duration(ms)}`;
};

/** The answer in words. A number stands beside a yes or a no only: beside "not enough evidence" it would say too much. */
function rumourMark({ rumour }: ClaimView): TemplateResult {
  const { status, probability, decision, evidence } = rumour;
  if (status === 'not_scored' || probability === null)
    return html`<span class="chip chip-open">${
      evidence.includes('pending') ? 'Rumour score pending' : 'No rumour score'
    }</span>`;
  if (decision === 'unsure') return html`<span class="chip chip-open">Rumour? Not enough evidence</span>`;
  return decision === 'yes'
    ? html`<span class="chip chip-warn">Written like a rumour, ${percent(probability)}</span>`
    : html`<span class="chip chip-open">Not written like a rumour, ${percent(1 - probability)}</span>`;
}

function whyRumour({ rumour }: ClaimView): TemplateResult {
  const { status, probability, evidence, model } = rumour;
  return html`<details class="rumour-reasons">
    <summary>Why?</summary>
    <ul class="reasons">
      ${rumourReasons(evidence).map((reason) => html`<li>${reason}</li>`)}
      ${
        status === 'scored' && probability !== null
          ? html`<li>Estimated chance of a rumour: ${percent(probability)}.</li>`
          : nothing
      }
      ${model ? html`<li>Model ${model.name} ${model.version}</li>` : nothing}
    </ul>
  </details>`;
}

function rulingMark(
  claim: ClaimView,
  own: OwnRuling | undefined,
  actions: Actions,
  now: number,
  isOutdated: boolean,
): TemplateResult {
  const busy = own?.state === 'sending' || own?.state === 'undoing';
  const given =
    own?.state === 'sent' ? own.ruling : own?.state === 'undone' ? undefined : claim.ruling?.ruling;
  if (given !== undefined && !busy)
    return html`<span class="ruled ruled-${given}">
      ${icon(given === 'true' ? 'check' : given === 'false' ? 'cross' : 'question')}Ruled ${rulingWord(given)}${
        claim.ruling && own?.state !== 'sent' ? ` by ${claim.ruling.by}, ${age(claim.ruling.at, now)}` : ''
      }
      <button type="button" class="link-button" ?disabled=${isOutdated} @click=${() => actions.undoRuling(claim.claimId)}>Undo</button>
    </span>`;
  const headline = claim.headline.slice(0, 60);
  return html`<span class="rule" role="group" aria-label="Rule on: ${headline}">
    ${RULINGS.map(
      ({ value, word }) => html`<button
        type="button"
        class="rule-button rule-${value}"
        ?disabled=${busy || isOutdated}
        title=${isOutdated ? 'The server cannot be reached' : `This claim is ${word.toLowerCase()}`}
        @click=${() => actions.rule(claim.claimId, value)}
      >${word}</button>`,
    )}
  </span>`;
}
