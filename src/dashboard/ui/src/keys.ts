/** The keyboard: which key does what, and when a key belongs to something else. */
import type { Actions } from './view/actions.ts';

export interface KeyActions
  extends Pick<Actions, 'togglePause' | 'showNew' | 'open' | 'close' | 'toggleHelp'> {
  /** Moves to the next (1) or previous (-1) post. */
  move(by: 1 | -1): void;
  /** Post that the keyboard is on. */
  active(): string | null;
  focusSearch(): void;
  /** Whether something lies over the feed. */
  isCovered(): boolean;
  /** Whether single keys do anything at all. */
  areOn(): boolean;
}

const TYPING = 'input, select, textarea, [contenteditable]';
/** Space and Enter belong to these. */
const PRESSABLE = 'button, a, summary, input, select, textarea';

/** Returns whether the key was taken. */
export function onKey(event: KeyboardEvent, actions: KeyActions): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === 'PageDown' || event.key === 'PageUp') {
    // Inside a feed these go from post to post; elsewhere they scroll.
    if (!target?.closest('[role=feed]')) return false;
    actions.move(event.key === 'PageDown' ? 1 : -1);
    return true;
  }
  if (target?.closest(TYPING)) {
    if (event.key === 'Escape' && target instanceof HTMLElement) target.blur();
    return false;
  }
  if (event.key === 'Enter') {
    const active = actions.active();
    if (active === null || target?.closest(PRESSABLE) || actions.isCovered()) return false;
    actions.open(active);
    return true;
  }
  if (!actions.areOn()) return false;
  switch (event.key) {
    case 'j':
      actions.move(1);
      return true;
    case 'k':
      actions.move(-1);
      return true;
    case ' ':
      if (target?.closest(PRESSABLE) || actions.isCovered()) return false;
      actions.togglePause();
      return true;
    case 'n':
    case '.':
      if (actions.isCovered()) return false;
      actions.showNew();
      return true;
    case '/':
      if (actions.isCovered()) return false;
      actions.focusSearch();
      return true;
    case '?':
      actions.toggleHelp();
      return true;
    default:
      return false;
  }
}
