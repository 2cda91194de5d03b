/** The ledger: what became of every post and picture, and whether the books balance. */
import { html, type TemplateResult } from 'lit';
import { count } from '../format.ts';
import type { State } from '../store.ts';
import { icon } from './icons.ts';

interface Entry {
  readonly name: string;
  readonly value: number | undefined;
  readonly title: string;
  /** Draws the eye when it is not 0. */
  readonly tone?: 'bad' | 'warn';
}

const cell = ({ name, value, title, tone }: Entry): TemplateResult => html`
  <div class="entry ${tone && value ? `entry-${tone}` : ''}" title=${title}>
    <dt>${name}</dt>
    <dd>${value === undefined ? '–' : count(value)}</dd>
  </div>
`;

/** @param isOpen folded away at first where there is little room. */
export function ledgerStrip(state: State, isOpen: boolean): TemplateResult {
  const ledger = state.pulse?.ledger ?? undefined;
  const pictures = ledger?.pictures;
  const posts: readonly Entry[] = [
    { name: 'Received', value: ledger?.received, title: 'Posts taken from the bus' },
    { name: 'Labelled', value: ledger?.labelled, title: 'Posts that got their label' },
    { name: 'Filtered', value: ledger?.filtered, title: 'Left out on purpose, with a reason' },
    { name: 'Duplicate', value: ledger?.duplicate, title: 'The same post again' },
    { name: 'Dead', value: ledger?.dead, title: 'Could not be worked on; kept with the reason', tone: 'bad' },
    { name: 'In flight', value: ledger?.inFlight, title: 'On the bus, not yet worked on' },
  ];
  const imagery: readonly Entry[] = [
    { name: 'Requested', value: pictures?.requested, title: 'Pictures asked for' },
    { name: 'Ready', value: pictures?.ready, title: 'Pictures had and looked at' },
    {
      name: 'Refused',
      value: pictures?.refused,
      title: 'Pictures not had, each with its reason',
      tone: 'warn',
    },
    { name: 'Pending', value: pictures?.pending, title: 'Pictures still on their way' },
  ];
  return html`
    <details class="ledger fresh-only" ?open=${isOpen}>
      <summary><h2>Ledger</h2><span>${ledger ? `${count(ledger.labelled)} labelled` : ''}</span>${balance(ledger)}</summary>
      <div class="ledger-books">
      <div class="books">
        <h3>Posts</h3>
        <dl>${posts.map(cell)}</dl>
      </div>
      <div class="books">
        <h3>Pictures</h3>
        <dl>${imagery.map(cell)}</dl>
      </div>
      </div>
    </details>
  `;
}

function balance(
  ledger: { readonly imbalance: number; readonly pictures: { readonly pending: number } } | undefined,
): TemplateResult {
  if (!ledger) return html`<p class="balance">Ledger not read yet</p>`;
  const off = ledger.imbalance !== 0 ? ledger.imbalance : Math.min(0, ledger.pictures.pending);
  return off === 0
    ? html`<p class="balance balance-good" title="Received = labelled + filtered + duplicate + dead; requested = ready + refused + pending">
        ${icon('check')}Books balance
      </p>`
    : html`<p class="balance balance-bad" role="alert">${icon('slow')}Off by ${count(Math.abs(off))}</p>`;
}
