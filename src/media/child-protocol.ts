/** What the media worker and its child say to each other, and the child's side of the talk. */
import type { Decoded } from './decode.ts';
import { type Refused, refuse } from './refusal.ts';

export type ChildRequest =
  | { readonly op: 'fetch'; readonly url: string; readonly timeoutMs: number }
  | { readonly op: 'decode'; readonly bytes: Uint8Array };

export interface Fetched {
  readonly bytes: Uint8Array;
}

export type ChildAnswer = Fetched | Decoded | Refused;

/** Parent → child. */
export interface Numbered {
  readonly id: number;
  readonly request: ChildRequest;
}

/** Child → parent: first of all that it is ready, then one answer per request, in any order. */
export type ChildMessage =
  | { readonly ready: true }
  | { readonly id: number; readonly answer: ChildAnswer; readonly rssBytes: number };

export interface ChildHandlers {
  fetch(url: string, timeoutMs: number): Promise<Fetched | Refused>;
  decode(bytes: Uint8Array): Promise<Decoded | Refused>;
  /** The parent is gone: let go of whatever keeps the process running. */
  close(): Promise<void>;
}

/** Answers the parent until it hangs up. To be called in the child process. */
export function serveParent(handlers: ChildHandlers): void {
  const send = (message: ChildMessage): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const answer = async (request: ChildRequest): Promise<ChildAnswer> => {
    try {
      return request.op === 'fetch'
        ? await handlers.fetch(request.url, request.timeoutMs)
        : await handlers.decode(request.bytes);
    } catch (error) {
      return refuse('decoder_crashed', error instanceof Error ? error.message : String(error));
    }
  };
  process.on('message', ({ id, request }: Numbered) => {
    void answer(request).then((done) => send({ id, answer: done, rssBytes: process.memoryUsage.rss() }));
  });
  process.once('disconnect', () => void handlers.close());
  send({ ready: true });
}
