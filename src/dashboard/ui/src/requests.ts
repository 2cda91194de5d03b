/** What the page asks the server for over HTTP. Every failure is one sentence for people. */
import type { LabelsAnswer, PostAnswer, Problem, RulingRequest } from '../../wire.ts';

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(15_000) });
  } catch {
    throw new Error('The server cannot be reached.');
  }
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => null)) as Problem | null;
  throw new Error(problem?.error?.message ?? `The server answered ${response.status}.`);
}

export const getPost = (postId: string): Promise<PostAnswer> =>
  ask(`/api/posts/${encodeURIComponent(postId)}?explain=1`);

/** The posts before the one given, newest first. */
export const getOlder = (postId: string): Promise<LabelsAnswer> =>
  ask(`/api/labels?limit=100&before=${encodeURIComponent(postId)}`);

export const postRuling = (ruling: RulingRequest): Promise<{ readonly id: string }> =>
  ask('/api/rulings', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ruling),
  });
