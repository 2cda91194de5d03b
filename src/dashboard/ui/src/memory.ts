/** What outlives a reload: the filters, in the address, and whether single keys are on, in the browser. */
import { type Filters, NO_FILTERS } from './store.ts';

const KEYS_OFF = 'tocsin.keys-off';

export function readFilters(window: Window): Filters {
  const query = new URLSearchParams(window.location.search);
  return {
    decision: query.get('show') === 'informative' ? 'informative' : NO_FILTERS.decision,
    picture: query.get('picture') === '1',
    collection: query.get('collection'),
    tells: query.get('tells'),
    search: query.get('q') ?? '',
  };
}

export function writeFilters(window: Window, filters: Filters): void {
  const query = new URLSearchParams();
  if (filters.decision !== 'all') query.set('show', filters.decision);
  if (filters.picture) query.set('picture', '1');
  if (filters.collection !== null) query.set('collection', filters.collection);
  if (filters.tells !== null) query.set('tells', filters.tells);
  if (filters.search !== '') query.set('q', filters.search);
  const search = query.size > 0 ? `?${query}` : '';
  window.history.replaceState(null, '', `${window.location.pathname}${search}`);
}

/** Storage may be forbidden; the page works all the same. */
export function readKeysOn(window: Window): boolean {
  try {
    return window.localStorage.getItem(KEYS_OFF) !== '1';
  } catch {
    return true;
  }
}

export function writeKeysOn(window: Window, areOn: boolean): void {
  try {
    window.localStorage.setItem(KEYS_OFF, areOn ? '0' : '1');
  } catch {
    // Then it holds until the tab is closed.
  }
}
