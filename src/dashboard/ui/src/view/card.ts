/** One post of the feed. */
import { html, nothing, type TemplateResult } from 'lit';
import type { PostView } from '../../../wire.ts';
import {
  className,
  exact,
  flagText,
  informative,
  languageName,
  modalityText,
  percent,
  postTime,
  toldOf,
} from '../format.ts';
import type { State } from '../store.ts';
import type { Actions } from './actions.ts';
import { decisionMark } from './decision.ts';
import { icon } from './icons.ts';
import { pictureButton, pictureKey, pictureNotes } from './picture.ts';

/** How long a card shows that its label has just been replaced, ms. */
export const UPGRADE_MS = 4_000;

/** Tags that machines set and readers gain nothing from in a feed. */
const SILENT_FLAGS: ReadonlySet<string> = new Set(['empty_text', 'context_cut']);

export const isRevealed = (state: State, postId: string, pictureId: string): boolean =>
  state.revealed.has('all') !== state.revealed.has(pictureKey(postId, pictureId));

export function card(
  state: State,
  post: PostView,
  position: number,
  actions: Actions,
  now: number,
): TemplateResult {
  const score = informative(post);
  const language = languageName(post.language);
  const shown = post.pictures.find((picture) => picture.preview !== null);
  const others = post.pictures.filter((picture) => picture.preview !== null).length - 1;
  const upgradedAt = state.upgraded.get(post.postId);
  const isFresh = upgradedAt !== undefined && now - upgradedAt < UPGRADE_MS;
  const titleId = `post-${position}`;
  const chips = [
    ...classChips(post),
    ...revisionChip(post, isFresh),
    ...pictureNotes(post.pictures),
    ...flagChips(post),
    ...streamChip(state, post),
  ];
  return html`
    <article
      class="card ${shown ? 'has-picture' : ''} card-${score?.decision ?? 'none'} ${isFresh ? 'is-upgraded' : ''} ${post.postId === state.active ? 'is-active' : ''}"
      tabindex="0"
      data-post=${post.postId}
      data-revision=${post.revision}
      aria-posinset=${position + 1}
      aria-setsize="-1"
      aria-labelledby=${titleId}
      @click=${(event: MouseEvent) => {
        if (window.getSelection()?.isCollapsed !== false && event.button === 0) actions.open(post.postId);
      }}
    >
      <div class="card-head">
        <span class="answer">${decisionMark(score)}<span class="basis">${modalityText(post)}</span></span>
        <span class="where">
          <time datetime=${new Date(post.createdAt).toISOString()} title=${exact(post.createdAt)}>
            ${postTime(post, state.pulse, now)}
          </time>
          <span class="collection">${post.collection}</span>
          ${language ? html`<span class="language" lang="en">${language}</span>` : nothing}
        </span>
      </div>
      <p class="text" id=${titleId} dir="auto" lang=${post.language === 'und' ? nothing : post.language}>${
        post.text === '' ? html`<em>No text</em>` : post.text
      }${post.cut ? ' …' : nothing}</p>
      ${chips.length > 0 ? html`<div class="card-foot">${chips}</div>` : nothing}
        ${
          shown
            ? html`<div class="pictures">
                ${pictureButton(post.postId, shown, isRevealed(state, post.postId, shown.id), actions)}
                ${others > 0 ? html`<span class="more">+${others}</span>` : nothing}
              </div>`
            : nothing
        }
    </article>
  `;
}

/** What the post tells of. Each says how likely it is when it is pointed at; the drawer says it in the open. */
const classChips = (post: PostView): TemplateResult[] =>
  toldOf(post).map(
    ({ label, probability }) =>
      html`<span class="chip chip-class" title=${probability === null ? nothing : percent(probability)}>${className(label ?? '')}</span>`,
  );

const revisionChip = (post: PostView, isFresh: boolean): TemplateResult[] =>
  post.revision === 1
    ? []
    : [
        html`<span class="chip chip-revision ${isFresh ? 'chip-new' : ''}">${icon('loop')}Revision ${post.revision}</span>`,
      ];

const flagChips = (post: PostView): TemplateResult[] =>
  post.flags
    .filter((flag) => !SILENT_FLAGS.has(flag))
    .map((flag) => html`<span class="chip">${flagText(flag)}</span>`);

/** Marks a made-up or replayed post only where the band over the page does not say it for all. */
function streamChip(state: State, post: PostView): TemplateResult[] {
  const stream = state.pulse?.stream ?? 'live';
  if (post.synthetic && stream !== 'sample') return [html`<span class="chip chip-warn">Sample</span>`];
  if (post.replayId !== null && stream === 'live') return [html`<span class="chip chip-warn">Replay</span>`];
  if (stream === 'sample' && !post.synthetic)
    return [html`<span class="chip chip-good">Not from the sample</span>`];
  return [];
}
