/** What a coordinator should look at now. */
import { html, nothing, type TemplateResult } from 'lit';
import type { AlertView } from '../../../wire.ts';
import { age, exact } from '../format.ts';
import { currentAlerts, type State } from '../store.ts';
import { icon } from './icons.ts';

const MAX_ALERTS = 4;

export function alertStrip(state: State, now: number): TemplateResult | typeof nothing {
  const alerts = currentAlerts(state, now);
  if (alerts.length === 0) return nothing;
  return html`
    <section class="alerts fresh-only" aria-labelledby="alerts-title">
      <h2 id="alerts-title">Alerts</h2>
      <ul>
        ${alerts.slice(0, MAX_ALERTS).map((alert) => alertItem(alert, now))}
      </ul>
      ${alerts.length > MAX_ALERTS ? html`<p class="hint">and ${alerts.length - MAX_ALERTS} more</p>` : nothing}
    </section>
  `;
}

const alertItem = (alert: AlertView, now: number): TemplateResult => html`
  <li class="alert alert-${alert.state === 'resolved' ? 'over' : alert.severity}">
    ${icon(alert.state === 'resolved' ? 'check' : 'slow')}
    <span class="alert-text" dir="auto">${alert.summary}</span>
    <span class="alert-facts">
      <span>${alert.state === 'resolved' ? 'over' : alert.severity}</span>
      <span>${alert.collection}</span>
      <time datetime=${new Date(alert.since).toISOString()} title="Since ${exact(alert.since)}">${age(alert.at, now)}</time>
    </span>
  </li>
`;
