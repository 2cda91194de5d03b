/** The whole page, as a function of the state. */
import { html, type TemplateResult } from 'lit';
import type { Announcements } from '../announce.ts';
import { timeOfDay } from '../format.ts';
import { isOutdated, modeOf, type State } from '../store.ts';
import type { Actions } from './actions.ts';
import { alertStrip } from './alerts.ts';
import { claimsPanel } from './claims.ts';
import { drawer, help } from './drawer.ts';
import { feed } from './feed.ts';
import { filterBar } from './filters.ts';
import { ledgerStrip } from './ledger-strip.ts';
import { statusBar, streamBand } from './status-bar.ts';

export function page(
  state: State,
  actions: Actions,
  now: number,
  announcements: Announcements,
  areKeysOn: boolean,
  isNarrow: boolean,
): TemplateResult {
  const mode = modeOf(state, now);
  const outdated = isOutdated(mode);
  return html`
    <a class="skip" href="#feed">Skip to the posts</a>
    ${streamBand(state)}
    <header class="top ${outdated ? 'is-outdated' : ''}">
      ${statusBar(state, actions, now)}
      ${ledgerStrip(state, !isNarrow)}
    </header>
    <div class="columns ${outdated ? 'is-outdated' : ''}">
    ${
      outdated && state.heardAt !== null
        ? html`<p class="as-of">As of <strong>${timeOfDay(state.heardAt)}</strong>. What is below may have changed since.</p>`
        : ''
    }
      <main id="feed" tabindex="-1">${filterBar(state, actions)}${feed(state, actions, now)}</main>
      <aside aria-label="Alerts and claims">${alertStrip(state, now)}${claimsPanel(state, actions, now, outdated, !isNarrow)}</aside>
    </div>
    ${drawer(state, actions)}${help(state, actions, areKeysOn)}
    <p class="hidden" role="status" aria-live="polite">${announcements.polite}</p>
    <p class="hidden" role="alert" aria-live="assertive">${announcements.assertive}</p>
  `;
}
