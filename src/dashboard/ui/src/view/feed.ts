/** The feed of newest labels: grows at the top only, and only while nobody is reading further down. */
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { PostView } from '../../../wire.ts';
import { count } from '../format.ts';
import { NO_FILTERS, type State, visiblePosts, waitingCount } from '../store.ts';
import type { Actions } from './actions.ts';
import { card } from './card.ts';
import { icon } from './icons.ts';

export function feed(state: State, actions: Actions, now: number): TemplateResult {
  const posts = visiblePosts(state);
  const waiting = waitingCount(state);
  return html`
    <section class="feed-pane" aria-label="Newest labels">
      <div class="pill-place">
        ${
          waiting > 0 || state.skipped > 0
            ? html`<button type="button" class="pill" @click=${actions.showNew}>
                ${icon('up')}${pillText(waiting, state.skipped)}
              </button>`
            : nothing
        }
      </div>
      <div class="feed fresh-only" role="feed" aria-busy=${state.older === 'loading' ? 'true' : 'false'} aria-label="Posts">
        ${repeat(
          posts,
          (post: PostView) => post.postId,
          (post: PostView, position: number) => card(state, post, position, actions, now),
        )}
      </div>
      ${posts.length === 0 ? empty(state, actions) : older(state, actions)}
    </section>
  `;
}

function pillText(waiting: number, skipped: number): string {
  const fresh = waiting > 0 ? `${count(waiting)} new` : '';
  const left = skipped > 0 ? `${count(skipped)} more came too fast to show` : '';
  return [fresh, left].filter(Boolean).join(', ');
}

/** Why there is nothing to see. */
function empty(state: State, actions: Actions): TemplateResult {
  if (state.posts.size > 0)
    return html`<div class="empty">
      <p>None of the ${count(state.shown.length)} newest posts passes the filters.</p>
      <button type="button" class="quiet-button" @click=${() => actions.filter(NO_FILTERS)}>Show all posts</button>
    </div>`;
  if (state.pulse === null) return html`<div class="empty"><p>Waiting for the server …</p></div>`;
  return html`<div class="empty">
    <p>No posts yet.</p>
    <p class="hint">Send one: <code>POST /events</code> with <code>{"id", "text", "createdAt"}</code>, or play an archive back with <code>tocsin replay</code>.</p>
  </div>`;
}

function older(state: State, actions: Actions): TemplateResult {
  switch (state.older) {
    case 'loading':
      return html`<p class="older">Loading older posts …</p>`;
    case 'end':
      return html`<p class="older">That is the oldest post held here.</p>`;
    case 'failed':
    case 'idle':
      return html`<p class="older">
        ${state.older === 'failed' ? 'The older posts could not be loaded. ' : nothing}
        <button type="button" class="quiet-button" @click=${actions.loadOlder}>Load older posts</button>
      </p>`;
  }
}
