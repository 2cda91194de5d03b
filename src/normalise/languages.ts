/** Languages of many texts at once, said by a thread of its own. */
import type { Worker } from 'node:worker_threads';
import { TocsinError } from '../base/errors.ts';
import { startThread } from '../base/thread.ts';

export interface LanguageText {
  /** Normalised. */
  readonly text: string;
  /** What the source says. */
  readonly claimed: string | null;
}

export interface LanguageQuestion {
  readonly id: number;
  readonly texts: readonly LanguageText[];
}

export interface LanguageAnswer {
  readonly id: number;
  readonly languages: readonly string[];
}

export interface Languages {
  /** ISO 639-1 or `und`, one per text, in order. Throws MODEL_UNAVAILABLE when the thread died; the next call starts another. */
  identify(texts: readonly LanguageText[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (languages: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the thread at the first call; a dead one is replaced at the next. */
export function openLanguages(): Languages {
  const waiting = new Map<number, Waiting>();
  let thread: Worker | null = null;
  let nextId = 0;

  const start = (): Worker => {
    const started = startThread(import.meta.url, './language-thread', {});
    const fail = (cause: unknown): void => {
      if (thread === started) thread = null;
      const error = new TocsinError('MODEL_UNAVAILABLE', 'the language thread ended', { cause });
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    started.on('message', ({ id, languages }: LanguageAnswer) => {
      waiting.get(id)?.resolve(languages);
      waiting.delete(id);
      if (waiting.size === 0) started.unref();
    });
    started.on('error', fail);
    started.on('exit', fail);
    return started;
  };

  return {
    identify(texts) {
      if (texts.length === 0) return Promise.resolve([]);
      thread ??= start();
      thread.ref();
      const running = thread;
      nextId += 1;
      const id = nextId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        running.postMessage({ id, texts } satisfies LanguageQuestion);
      });
    },
    async close() {
      await thread?.terminate();
    },
  };
}
