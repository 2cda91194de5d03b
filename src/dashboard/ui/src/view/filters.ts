/** What of the feed is shown, and whether it moves. */
import { html, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { CLASSES } from '../format.ts';
import { collectionsOf, type State } from '../store.ts';
import type { Actions } from './actions.ts';
import { icon } from './icons.ts';

export function filterBar(state: State, actions: Actions): TemplateResult {
  const { filters } = state;
  const choice = (value: 'all' | 'informative', word: string): TemplateResult => html`
    <label class="choice">
      <input
        type="radio"
        name="decision"
        value=${value}
        .checked=${live(filters.decision === value)}
        @change=${() => actions.filter({ decision: value })}
      /><span>${word}</span>
    </label>
  `;
  const areAllRevealed = state.revealed.has('all');
  return html`
    <div class="filters" role="search" aria-label="Filters">
      <fieldset class="segmented">
        <legend class="hidden">Which posts</legend>
        ${choice('all', 'All')}${choice('informative', 'Informative')}
      </fieldset>
      <label class="toggle">
        <input
          type="checkbox"
          .checked=${live(filters.picture)}
          @change=${(event: Event) => actions.filter({ picture: (event.target as HTMLInputElement).checked })}
        /><span>With picture</span>
      </label>
      <label class="select">
        <span class="hidden">Collection</span>
        <select
          @change=${(event: Event) => actions.filter({ collection: (event.target as HTMLSelectElement).value || null })}
        >
          <option value="" ?selected=${filters.collection === null}>All collections</option>
          ${collectionsOf(state).map(
            (name) => html`<option value=${name} ?selected=${filters.collection === name}>${name}</option>`,
          )}
        </select>
      </label>
      <label class="select">
        <span class="hidden">What it tells of</span>
        <select
          @change=${(event: Event) => actions.filter({ tells: (event.target as HTMLSelectElement).value || null })}
        >
          <option value="" ?selected=${filters.tells === null}>Any content</option>
          ${Object.entries(CLASSES).map(
            ([name, word]) =>
              html`<option value=${name} ?selected=${filters.tells === name}>${word}</option>`,
          )}
        </select>
      </label>
      <label class="search">
        ${icon('search')}<span class="hidden">Search the text</span>
        <input
          id="search"
          type="search"
          placeholder="Search"
          autocomplete="off"
          .value=${live(filters.search)}
          @input=${(event: Event) => actions.filter({ search: (event.target as HTMLInputElement).value })}
        />
      </label>
      <div class="controls">
        <button type="button" class="quiet-button" aria-pressed=${areAllRevealed ? 'true' : 'false'} @click=${() => actions.reveal('all')}>
          ${icon('eye')}<span>${areAllRevealed ? 'Veil pictures' : 'Show pictures'}</span>
        </button>
        <button type="button" class="quiet-button pause" aria-pressed=${state.paused ? 'true' : 'false'} @click=${actions.togglePause}>
          ${icon(state.paused ? 'play' : 'pause')}<span>${state.paused ? 'Go on' : 'Pause'}</span>
        </button>
        <button type="button" class="quiet-button icon-only" aria-label="Keyboard help" @click=${actions.toggleHelp}>
          ${icon('keyboard')}
        </button>
      </div>
    </div>
  `;
}
