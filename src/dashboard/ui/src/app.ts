/** Puts the page together: state, server, keyboard and screen. */
import { render } from 'lit';
import type { RulingValue } from '../../../event/records.ts';
import type { ServerMessage } from '../../wire.ts';
import { createAnnouncer, decorate } from './announce.ts';
import { type Connection, connect } from './connection.ts';
import { onKey } from './keys.ts';
import { readFilters, readKeysOn, writeFilters, writeKeysOn } from './memory.ts';
import { getOlder, getPost, postRuling } from './requests.ts';
import { addOlder, createState, receive, type State, showWaiting, upgrade, visiblePosts } from './store.ts';
import type { Actions } from './view/actions.ts';
import { openDialogs } from './view/drawer.ts';
import { page } from './view/page.ts';

/** The first pixels under the top of the page still count as its top. */
const TOP_PX = 60;
/** Posts whose pictures are asked after once the server has left some out. */
const MAX_REFRESHED = 20;

export interface Surroundings {
  readonly root: HTMLElement;
  readonly window: Window;
  readonly liveUrl: string;
  readonly now: () => number;
  readonly random: () => number;
}

/** Starts the page; it runs until the tab is closed. */
export function startApp({ root, window, liveUrl, now, random }: Surroundings): void {
  const { document } = window;
  const state: State = createState(readFilters(window));
  let areKeysOn = readKeysOn(window);
  const narrow = window.matchMedia('(max-width: 52rem)');
  let isHovered = false;
  let isDrawn = true;
  const announce = createAnnouncer();

  /** Nobody is reading: at the top, nothing paused, pointed at, marked or stepped to. */
  const isFree = (): boolean =>
    window.scrollY <= TOP_PX &&
    !state.paused &&
    !isHovered &&
    state.active === null &&
    state.open === null &&
    (window.getSelection()?.isCollapsed ?? true);

  const draw = (): void => {
    isDrawn = true;
    if (isFree()) showWaiting(state);
    const announcements = announce(state, now());
    decorate(document, state);
    render(page(state, actions, now(), announcements, areKeysOn, narrow.matches), root);
    openDialogs(root);
    watchTop();
  };

  /** Sticky things below the top need to know how high it is. */
  const topSize = new ResizeObserver(([entry]) => {
    const height = narrow.matches ? 0 : (entry?.target.getBoundingClientRect().height ?? 0);
    document.documentElement.style.setProperty('--top-height', `${Math.round(height)}px`);
  });
  let top: Element | null = null;
  const watchTop = (): void => {
    if (top) return;
    top = root.querySelector('.top');
    if (top) topSize.observe(top);
  };

  const redraw = (): void => {
    if (!isDrawn) return;
    isDrawn = false;
    // A hidden tab draws no frames; its title must still tell what waits.
    if (document.hidden) setTimeout(draw, 1_000);
    else window.requestAnimationFrame(draw);
  };

  const cardOf = (postId: string): HTMLElement | null =>
    root.querySelector<HTMLElement>(`[data-post="${CSS.escape(postId)}"]`);

  const loadOpen = async (postId: string): Promise<void> => {
    try {
      const answer = await getPost(postId);
      if (state.open?.postId === postId) state.open = { postId, answer, problem: null };
    } catch (error) {
      if (state.open?.postId === postId)
        state.open = { postId, answer: state.open.answer, problem: (error as Error).message };
    }
    redraw();
  };

  const setRuling = async (claimId: string, ruling: RulingValue, undoes: string | null): Promise<void> => {
    const step = undoes === null ? 'sending' : 'undoing';
    state.rulings.set(claimId, { ruling, state: step, id: undoes, problem: null });
    redraw();
    try {
      const { id } = await postRuling({
        claimId,
        task: 'rumour',
        ruling,
        ...(undoes === null ? {} : { undoes }),
      });
      state.rulings.set(
        claimId,
        undoes === null
          ? { ruling, state: 'sent', id, problem: null }
          : { ruling, state: 'undone', id: undoes, problem: null },
      );
    } catch (error) {
      const problem = `The ruling was not taken: ${(error as Error).message}`;
      state.rulings.set(claimId, { ruling, state: 'failed', id: null, problem });
    }
    redraw();
  };

  const actions: Actions = {
    togglePause() {
      state.paused = !state.paused;
      redraw();
    },
    showNew() {
      state.active = null;
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      showWaiting(state);
      window.scrollTo({ top: 0 });
      redraw();
    },
    loadOlder() {
      const last = state.shown.at(-1);
      if (last === undefined || state.older === 'loading') return;
      state.older = 'loading';
      redraw();
      getOlder(last)
        .then(({ labels, next }) => addOlder(state, labels, next !== null, now()))
        .catch(() => {
          state.older = 'failed';
        })
        .finally(redraw);
    },
    filter(change) {
      state.filters = { ...state.filters, ...change };
      writeFilters(window, state.filters);
      redraw();
    },
    open(postId) {
      state.active = postId;
      state.open = { postId, answer: null, problem: null };
      void loadOpen(postId);
      redraw();
    },
    close() {
      const postId = state.open?.postId;
      state.open = null;
      draw();
      if (postId !== undefined) cardOf(postId)?.focus({ preventScroll: true });
    },
    reveal(key) {
      if (key === 'all') {
        const wasOn = state.revealed.has('all');
        state.revealed.clear();
        if (!wasOn) state.revealed.add('all');
      } else if (!state.revealed.delete(key)) state.revealed.add(key);
      redraw();
    },
    rule: (claimId, ruling) => void setRuling(claimId, ruling, null),
    undoRuling(claimId) {
      const own = state.rulings.get(claimId);
      const held = state.claims.get(claimId)?.ruling;
      const given = own?.state === 'sent' && own.id !== null ? { id: own.id, ruling: own.ruling } : held;
      if (given) void setRuling(claimId, given.ruling, given.id);
    },
    toggleHelp() {
      state.help = !state.help;
      redraw();
    },
    toggleKeys() {
      areKeysOn = !areKeysOn;
      writeKeysOn(window, areKeysOn);
      redraw();
    },
    retry: () => connection.retry(),
  };

  const move = (by: 1 | -1): void => {
    const posts = visiblePosts(state);
    const at = posts.findIndex((post) => post.postId === state.active);
    const next = posts[at < 0 ? 0 : Math.min(posts.length - 1, Math.max(0, at + by))];
    if (!next) return;
    state.active = next.postId;
    if (state.open) actions.open(next.postId);
    draw();
    if (state.open) return;
    const card = cardOf(next.postId);
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'nearest' });
  };

  /** The server left revisions out: what is shown with pictures on their way is asked after. */
  const refreshPending = (): void => {
    const pending = visiblePosts(state).filter((post) =>
      post.pictures.some((picture) => picture.outcome === 'pending'),
    );
    for (const { postId } of pending.slice(0, MAX_REFRESHED))
      getPost(postId)
        .then(({ revisions }) => {
          const newest = revisions.at(-1);
          if (newest) upgrade(state, newest, now());
        })
        .catch(() => {})
        .finally(redraw);
  };

  const onMessage = (message: ServerMessage): void => {
    // Only what has been heard of is connected.
    state.connection = 'open';
    receive(state, message, now());
    if (message.type === 'resync') refreshPending();
    if (
      message.type !== 'pulse' &&
      state.open &&
      message.posts.some((post) => post.postId === state.open?.postId)
    )
      void loadOpen(state.open.postId);
    redraw();
  };

  const connection: Connection = connect(
    liveUrl,
    {
      cursor: () => state.cursor,
      onMessage,
      onChange(change) {
        if (change !== 'open') state.connection = change;
        redraw();
      },
    },
    random,
  );

  document.addEventListener('keydown', (event) => {
    const taken = onKey(event, {
      ...actions,
      move,
      active: () => state.active,
      focusSearch: () => root.querySelector<HTMLElement>('#search')?.focus(),
      isCovered: () => state.open !== null || state.help,
      areOn: () => areKeysOn,
    });
    if (taken) event.preventDefault();
  });
  // What is pointed at must not move away under the pointer.
  const hover = (event: PointerEvent): void => {
    if (event.pointerType !== 'mouse') return;
    const over = event.target instanceof Element && event.target.closest('.feed') !== null;
    if (over === isHovered) return;
    isHovered = over;
    redraw();
  };
  document.addEventListener('pointerover', hover);
  document.documentElement.addEventListener('pointerleave', () => {
    isHovered = false;
    redraw();
  });
  root.addEventListener('focusin', (event) => {
    const card = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-post]') : null;
    const postId = card?.dataset['post'] ?? null;
    if (postId !== null && postId !== state.active) {
      state.active = postId;
      redraw();
    }
  });
  root.addEventListener('focusout', (event) => {
    const to = event.relatedTarget instanceof Element ? event.relatedTarget : null;
    if (to?.closest('[data-post]') || state.open) return;
    state.active = null;
    redraw();
  });
  let wasAtTop = true;
  window.addEventListener(
    'scroll',
    () => {
      const isAtTop = window.scrollY <= TOP_PX;
      if (isAtTop !== wasAtTop) redraw();
      wasAtTop = isAtTop;
    },
    { passive: true },
  );
  window.addEventListener('online', () => connection.retry());
  document.addEventListener('visibilitychange', () => {
    connection.retry();
    isDrawn = true;
    redraw();
  });
  setInterval(redraw, 1_000);
  draw();
}
