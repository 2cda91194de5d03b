/** What the page says beside what it shows: to screen readers, in its title and by its icon. */
import { count } from './format.ts';
import { type Mode, modeOf, type State, waitingCount } from './store.ts';
import { explainMode } from './view/status-bar.ts';

/** What is read out: counts politely, trouble at once. Never the feed itself. */
export interface Announcements {
  readonly polite: string;
  readonly assertive: string;
}

/** Between two announcements of how many posts are new. */
const POLITE_MS = 30_000;
const TROUBLE: readonly Mode[] = ['disconnected', 'stale', 'behind'];

/** Says a change of mode once, and the number of waiting posts now and then. */
export function createAnnouncer(): (state: State, now: number) => Announcements {
  let said: Announcements = { polite: '', assertive: '' };
  let politeAt = 0;
  let lastMode: Mode = 'connecting';
  return (state, now) => {
    const mode = modeOf(state, now);
    if (mode !== lastMode) {
      const isOver = TROUBLE.includes(lastMode) ? 'Up to date again.' : '';
      said = { ...said, assertive: TROUBLE.includes(mode) ? explainMode(state, mode, now) : isOver };
      lastMode = mode;
    }
    const waiting = waitingCount(state);
    if (waiting > 0 && now - politeAt > POLITE_MS) {
      politeAt = now;
      said = { ...said, polite: `${count(waiting)} new posts wait.` };
    }
    return said;
  };
}

/** Title and icon: what waits while nobody looks, and that a replay is not live. */
export function decorate(document: Document, state: State): void {
  const stream = state.pulse?.stream ?? 'live';
  const waiting = document.hidden || state.paused ? waitingCount(state) : 0;
  const what = stream === 'live' ? 'Tocsin' : `Tocsin (${stream}, not live)`;
  document.title = `${waiting > 0 ? `(${count(waiting)}) ` : ''}${what}`;
  const href = stream === 'live' ? '/favicon.svg' : '/favicon-replay.svg';
  const favicon = document.querySelector('link[rel=icon]');
  if (favicon && favicon.getAttribute('href') !== href) favicon.setAttribute('href', href);
}
