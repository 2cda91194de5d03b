/** What the media worker and its child say to each other, and the child's side of the talk. */
import type { Decoded } from './decode.ts';
import { type Refused, refuse } from './refusal.ts';

export type ChildRequest =
  | { readonly op: 'fetch'; readonly url: string; readonly timeoutMs: number }
  | { readonly op: 'decode'; readonly picture: PictureSource };

/** What is to be decoded: bytes in hand, or the key of a stored picture, which the child reads itself. */
export type PictureSource = { readonly bytes: Uint8Array } | { readonly stored: string };

export interface Fetched {
  readonly bytes: Uint8Array;
}

/** The disk failed, which says nothing of the picture. */
export interface Unreadable {
  readonly unreadable: string;
}

export type ChildAnswer = Fetched | Decoded | Refused | Unreadable;

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
  /** Bytes of a stored picture; null where there is none. Throws when the disk fails. */
  stored(key: string): Promise<Uint8Array | null>;
  decode(bytes: Uint8Array): Promise<Decoded | Refused>;
  /** The parent is gone: let go of whatever keeps the process running. */
  close(): Promise<void>;
}

/** Answers the parent until it hangs up. To be called in the child process. */
export function serveParent(handlers: ChildHandlers): void {
  const send = (message: ChildMessage): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const decode = async (picture: PictureSource): Promise<Decoded | Refused | Unreadable> => {
    if ('bytes' in picture) return handlers.decode(picture.bytes);
    let bytes: Uint8Array | null;
    try {
      bytes = await handlers.stored(picture.stored);
    } catch (error) {
      return { unreadable: error instanceof Error ? error.message : String(error) };
    }
    return bytes ? handlers.decode(bytes) : refuse('not_in_store', picture.stored);
  };
  const answer = async (request: ChildRequest): Promise<ChildAnswer> => {
    try {
      return request.op === 'fetch'
        ? await handlers.fetch(request.url, request.timeoutMs)
        : await decode(request.picture);
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
