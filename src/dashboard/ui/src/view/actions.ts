/** What the reader can do; the views call these and change nothing themselves. */
import type { RulingValue } from '../../../../event/records.ts';
import type { Filters } from '../store.ts';

export interface Actions {
  togglePause(): void;
  /** Shows what waits and goes to the top. */
  showNew(): void;
  loadOlder(): void;
  filter(change: Partial<Filters>): void;
  open(postId: string): void;
  close(): void;
  /** Shows or veils a picture; `all` stands for every one. */
  reveal(key: string): void;
  rule(claimId: string, ruling: RulingValue): void;
  undoRuling(claimId: string): void;
  toggleHelp(): void;
  toggleKeys(): void;
  retry(): void;
}
