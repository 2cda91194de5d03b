/** The bar that always says how far the page can be trusted: mode, clocks, delay, rate, share, model. */
import { html, nothing, type TemplateResult } from 'lit';
import { count, duration, exact, moment, share, timeOfDay, typicalDelay } from '../format.ts';
import { type Mode, modeOf, type State, visiblePosts, waitingCount } from '../store.ts';
import type { Actions } from './actions.ts';
import { type IconName, icon } from './icons.ts';

const MODES: Readonly<
  Record<Mode, { readonly word: string; readonly icon: IconName; readonly tone: string }>
> = {
  connecting: { word: 'Connecting', icon: 'loop', tone: 'calm' },
  loading: { word: 'Loading', icon: 'loop', tone: 'calm' },
  live: { word: 'Live', icon: 'dot', tone: 'good' },
  sample: { word: 'Sample', icon: 'loop', tone: 'warn' },
  replay: { word: 'Replay', icon: 'loop', tone: 'warn' },
  paused: { word: 'Paused', icon: 'pause', tone: 'calm' },
  behind: { word: 'Behind', icon: 'slow', tone: 'warn' },
  stale: { word: 'Stale', icon: 'clock', tone: 'bad' },
  disconnected: { word: 'Disconnected', icon: 'broken', tone: 'bad' },
};

/** What the mode means just now, in one sentence. */
export function explainMode(state: State, mode: Mode, now: number): string {
  const { pulse } = state;
  switch (mode) {
    case 'connecting':
      return 'Waiting for the server.';
    case 'disconnected':
      return 'The server cannot be reached; trying again.';
    case 'stale':
      return pulse?.problem ?? 'The server has gone quiet.';
    case 'loading':
      return 'The newest labels are being read.';
    case 'behind':
      return `Labels are ${duration(pulse?.behindMs ?? 0)} behind the posts.`;
    case 'paused':
      return 'New posts wait until you go on.';
    case 'live':
    case 'sample':
    case 'replay':
      return quiet(state, now) ?? 'New posts appear as they are labelled.';
  }
}

const QUIET_MS = 60_000;

function quiet(state: State, now: number): string | null {
  const at = state.pulse?.newestLabelAt ?? null;
  if (at === null) return 'No posts yet.';
  return now - at > QUIET_MS ? `Quiet: no posts for ${duration(now - at)}.` : null;
}

const fact = (name: string, value: string | TemplateResult, title = ''): TemplateResult => html`
  <div class="fact" title=${title}>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>
`;

export function statusBar(state: State, actions: Actions, now: number): TemplateResult {
  const { pulse } = state;
  const mode = modeOf(state, now);
  const { word, icon: glyph, tone } = MODES[mode];
  const held = waitingCount(state);
  const delay = pulse && pulse.behindMs > 0 ? pulse.behindMs : typicalDelay(visiblePosts(state));
  return html`
    <div class="status">
      <h1 class="brand">${icon('bell')}<span>Tocsin</span></h1>
      <div class="mode mode-${tone}" data-mode=${mode}>
        ${icon(glyph)}<strong>${word}${mode === 'paused' && held > 0 ? ` +${count(held)}` : ''}</strong>
        <span class="why">${explainMode(state, mode, now)}</span>
      </div>
      ${
        mode === 'disconnected'
          ? html`<button type="button" class="quiet-button" @click=${actions.retry}>Try now</button>`
          : nothing
      }
    </div>
    <dl class="facts fresh-only" aria-label="State of the stream">
        ${fact(
          'Event clock',
          pulse?.newestEventAt ? moment(pulse.newestEventAt, now, true) : '–',
          pulse?.newestEventAt ? `Newest event time: ${exact(pulse.newestEventAt)}` : '',
        )}
        ${fact('Clock', timeOfDay(now))}
        ${fact('Delay', delay === null ? '–' : duration(delay), 'From the arrival of a post to its label')}
        ${fact('Posts / min', pulse ? count(pulse.perMinute) : '–', 'Labelled in the last minute')}
        ${fact(
          'Informative',
          pulse?.informativeShare == null ? '–' : share(pulse.informativeShare),
          'Of the newest posts',
        )}
        ${fact(
          'Model',
          pulse?.model ? html`${pulse.model.name} <span class="version">${pulse.model.version}</span>` : '–',
        )}
    </dl>
  `;
}

/** A replay can never look live: a band over the whole width says so. */
export function streamBand(state: State): TemplateResult | typeof nothing {
  const { pulse } = state;
  if (!pulse || pulse.stream === 'live') return nothing;
  const isSample = pulse.stream === 'sample';
  return html`
    <section class="band" aria-label="Not live">
      <strong>${isSample ? 'SAMPLE' : 'REPLAY'}</strong>
      <span>${isSample ? 'These posts were made up for practice. ' : 'These posts are played back from an archive. '}Not live.</span>
      ${pulse.replayId ? html`<code>${pulse.replayId}</code>` : nothing}
    </section>
  `;
}
