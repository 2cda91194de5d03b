/** What the page knows, and how each message and each act of its reader changes it. No DOM in here. */
import type { RulingValue } from '../../../event/records.ts';
import type {
  AlertView,
  ClaimView,
  PostAnswer,
  PostView,
  Pulse,
  RevisionView,
  ServerMessage,
} from '../../wire.ts';
import { informative, toldOf } from './format.ts';

export interface Filters {
  readonly decision: 'all' | 'informative';
  readonly picture: boolean;
  /** Null: every collection. */
  readonly collection: string | null;
  /** Posts that tell of this class; null: all. */
  readonly tells: string | null;
  readonly search: string;
}

/** A ruling given on this page, until the claim worker's answer comes back. */
export interface OwnRuling {
  readonly ruling: RulingValue;
  readonly state: 'sending' | 'sent' | 'undoing' | 'undone' | 'failed';
  /** Known once it was taken. */
  readonly id: string | null;
  readonly problem: string | null;
}

export interface OpenPost {
  readonly postId: string;
  readonly answer: PostAnswer | null;
  readonly problem: string | null;
}

export interface State {
  connection: 'connecting' | 'open' | 'lost';
  /** When the server last said anything; the page's clock, ms. */
  heardAt: number | null;
  cursor: string | null;
  pulse: Pulse | null;
  readonly posts: Map<string, PostView>;
  /** Ids in the feed, newest first. Only grows at the top while the reader is there. */
  shown: readonly string[];
  /** Ids that have come since and wait for the reader. */
  waiting: readonly string[];
  /** Posts that the server left out for this page since it was last at the top. */
  skipped: number;
  /** When a card's label was last replaced by a higher revision; the page's clock, ms. */
  readonly upgraded: Map<string, number>;
  readonly claims: Map<string, ClaimView>;
  readonly alerts: Map<string, AlertView>;
  readonly rulings: Map<string, OwnRuling>;
  paused: boolean;
  filters: Filters;
  /** Post that the keyboard is on. */
  active: string | null;
  open: OpenPost | null;
  help: boolean;
  /** Pictures that the reader asked to see, by `post/picture`; `all`: every one. */
  readonly revealed: Set<string>;
  older: 'idle' | 'loading' | 'end' | 'failed';
}

export const MAX_HELD = 1_000;
/** A batch of fewer cards keeps a long-open page quick. */
const KEEP_AT_TOP = 300;

export const NO_FILTERS: Filters = {
  decision: 'all',
  picture: false,
  collection: null,
  tells: null,
  search: '',
};

export function createState(filters: Filters = NO_FILTERS): State {
  return {
    connection: 'connecting',
    heardAt: null,
    cursor: null,
    pulse: null,
    posts: new Map(),
    shown: [],
    waiting: [],
    skipped: 0,
    upgraded: new Map(),
    claims: new Map(),
    alerts: new Map(),
    rulings: new Map(),
    paused: false,
    filters,
    active: null,
    open: null,
    help: false,
    revealed: new Set(),
    older: 'idle',
  };
}

const newestFirst =
  (posts: ReadonlyMap<string, PostView>) =>
  (a: string, b: string): number => {
    const left = posts.get(a) as PostView;
    const right = posts.get(b) as PostView;
    return right.arrivedAt - left.arrivedAt || (left.postId < right.postId ? 1 : -1);
  };

/** Takes in what the server said. @param now the page's clock, ms. */
export function receive(state: State, message: ServerMessage, now: number): void {
  state.heardAt = now;
  if (message.type === 'pulse') {
    state.pulse = message.pulse;
    return;
  }
  if (message.type === 'snapshot') {
    state.pulse = message.pulse;
    // Nothing in common: other data, or so long away that what is shown has lost its connection.
    if (!message.posts.some((post) => state.posts.has(post.postId))) forgetPosts(state);
    state.claims.clear();
    state.alerts.clear();
  }
  if (message.type === 'resync') state.skipped += message.skipped;
  state.cursor = message.cursor;
  const fresh = message.posts.filter((post) => takePost(state, post, now)).map((post) => post.postId);
  for (const claim of message.claims) takeClaim(state, claim);
  for (const alert of message.alerts) state.alerts.set(alert.id, alert);
  if (fresh.length === 0) return;
  if (state.shown.length === 0) state.shown = fresh.sort(newestFirst(state.posts));
  else state.waiting = [...fresh, ...state.waiting].sort(newestFirst(state.posts));
  bound(state);
}

function forgetPosts(state: State): void {
  state.posts.clear();
  state.shown = [];
  state.waiting = [];
  state.upgraded.clear();
  state.skipped = 0;
  state.older = 'idle';
}

/** Whether the post was new. A lower revision never replaces a higher one. */
function takePost(state: State, post: PostView, now: number): boolean {
  const held = state.posts.get(post.postId);
  if (held && held.revision >= post.revision) return false;
  // The place of a card stays what it was when it came.
  state.posts.set(post.postId, held ? { ...post, arrivedAt: held.arrivedAt } : post);
  if (held) state.upgraded.set(post.postId, now);
  return held === undefined;
}

/** Puts a higher revision that was asked for into the card of its post, where there still is one. */
export function upgrade(state: State, revision: RevisionView, now: number): void {
  const held = state.posts.get(revision.postId);
  if (held) takePost(state, { ...revision, arrivedAt: held.arrivedAt, cut: false }, now);
}

function takeClaim(state: State, claim: ClaimView): void {
  if (claim.mergedInto !== null) {
    state.claims.delete(claim.claimId);
    return;
  }
  state.claims.set(claim.claimId, claim);
  const own = state.rulings.get(claim.claimId);
  const arrived = own?.state === 'sent' && claim.ruling?.id === own.id;
  const gone = own?.state === 'undone' && claim.ruling?.id !== own.id;
  if (arrived || gone) state.rulings.delete(claim.claimId);
}

/** Puts what waits on top of the feed. */
export function showWaiting(state: State): void {
  if (state.waiting.length === 0 && state.skipped === 0) return;
  state.shown = [...state.waiting, ...state.shown].slice(0, Math.max(KEEP_AT_TOP, state.waiting.length));
  state.waiting = [];
  state.skipped = 0;
  state.older = 'idle';
  bound(state);
}

/** Puts a page of older posts under the feed. */
export function addOlder(state: State, posts: readonly PostView[], more: boolean, now: number): void {
  const fresh = posts.filter((post) => takePost(state, post, now)).map((post) => post.postId);
  state.shown = [...state.shown, ...fresh.filter((id) => !state.shown.includes(id))];
  state.older = more ? 'idle' : 'end';
}

/** Lets go of posts that are neither shown nor waiting, and of waiting ones beyond the bound, the oldest first. */
function bound(state: State): void {
  if (state.waiting.length > MAX_HELD) {
    state.skipped += state.waiting.length - MAX_HELD;
    state.waiting = state.waiting.slice(0, MAX_HELD);
  }
  if (state.posts.size <= state.shown.length + state.waiting.length) return;
  const kept = new Set([...state.shown, ...state.waiting]);
  if (state.open) kept.add(state.open.postId);
  for (const id of state.posts.keys())
    if (!kept.has(id)) {
      state.posts.delete(id);
      state.upgraded.delete(id);
    }
}

export function matches(post: PostView, filters: Filters): boolean {
  if (filters.decision === 'informative' && informative(post)?.decision !== 'yes') return false;
  if (filters.picture && post.pictures.length === 0) return false;
  if (filters.collection !== null && post.collection !== filters.collection) return false;
  if (filters.tells !== null && !toldOf(post).some(({ label }) => label === filters.tells)) return false;
  const words = filters.search.trim().toLocaleLowerCase();
  return (
    words === '' || post.text.toLocaleLowerCase().includes(words) || post.postId === filters.search.trim()
  );
}

const filtered = (state: State, ids: readonly string[]): PostView[] => {
  const posts: PostView[] = [];
  for (const id of ids) {
    const post = state.posts.get(id);
    if (post && matches(post, state.filters)) posts.push(post);
  }
  return posts;
};

/** Posts of the feed that the filters let through, newest first. */
export const visiblePosts = (state: State): readonly PostView[] => filtered(state, state.shown);

/** How many posts wait that the filters let through. */
export const waitingCount = (state: State): number => filtered(state, state.waiting).length;

export const collectionsOf = (state: State): readonly string[] =>
  [...new Set([...state.posts.values()].map((post) => post.collection))].sort();

/** Largest first; the newer of equals first. */
export const topClaims = (state: State, limit: number): readonly ClaimView[] =>
  [...state.claims.values()].sort((a, b) => b.posts - a.posts || b.lastSeen - a.lastSeen).slice(0, limit);

/** Firing ones, newest first, then those that ended within the last half hour of the server's clock. */
export function currentAlerts(state: State, now: number): readonly AlertView[] {
  const recent = [...state.alerts.values()].filter(
    (alert) => alert.state === 'firing' || now - alert.at < 1_800_000,
  );
  const firing = (alert: AlertView): number => (alert.state === 'firing' ? 1 : 0);
  return recent.sort((a, b) => firing(b) - firing(a) || b.at - a.at);
}

/** How the page stands, in one word; the worst wins. */
export type Mode =
  | 'connecting'
  | 'disconnected'
  | 'stale'
  | 'loading'
  | 'behind'
  | 'paused'
  | 'live'
  | 'sample'
  | 'replay';

const STALE_MS = 10_000;
const BEHIND_MS = 30_000;

export function modeOf(state: State, now: number): Mode {
  if (state.connection === 'lost') return 'disconnected';
  if (state.connection === 'connecting' || state.heardAt === null || state.pulse === null)
    return 'connecting';
  if (now - state.heardAt > STALE_MS || state.pulse.feed === 'stalled') return 'stale';
  if (state.pulse.feed === 'loading') return 'loading';
  if (state.pulse.behindMs > BEHIND_MS) return 'behind';
  if (state.paused) return 'paused';
  return state.pulse.stream;
}

/** Whether what is shown is no longer what is: it is dimmed and says as of when it holds. */
export const isOutdated = (mode: Mode): boolean => mode === 'disconnected' || mode === 'stale';
