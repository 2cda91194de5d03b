/** Everything about one post: its text and pictures, and every revision of its label with the reasons. */
import { html, nothing, type TemplateResult } from 'lit';
import type { TaskScore } from '../../../../event/records.ts';
import type { RevisionView } from '../../../wire.ts';
import {
  className,
  duration,
  exact,
  flagText,
  informative,
  languageName,
  modalityText,
  onlyText,
  percent,
  reasonText,
} from '../format.ts';
import type { State } from '../store.ts';
import type { Actions } from './actions.ts';
import { isRevealed } from './card.ts';
import { decisionMark, modalityBar } from './decision.ts';
import { icon } from './icons.ts';
import { pictureButton, pictureNotes } from './picture.ts';

/** A modal dialog brings its own focus trap; it is opened by a call, once it is in the page. */
export function openDialogs(root: ParentNode): void {
  for (const dialog of root.querySelectorAll<HTMLDialogElement>('dialog:not([open])')) dialog.showModal();
}

/** A click on the backdrop is a click on the dialog itself, outside its content. */
const onBackdrop =
  (close: () => void) =>
  (event: Event): void => {
    if (event.target === event.currentTarget) close();
  };

export function drawer(state: State, actions: Actions): TemplateResult | typeof nothing {
  const { open } = state;
  if (!open) return nothing;
  const revisions = open.answer?.revisions ?? [];
  const newest: RevisionView | undefined = revisions.at(-1) ?? state.posts.get(open.postId);
  return html`
    <dialog
      class="drawer"
      aria-labelledby="drawer-title"
      @cancel=${(event: Event) => {
        event.preventDefault();
        actions.close();
      }}
      @click=${onBackdrop(actions.close)}
    >
      <div class="drawer-content">
        <header>
          <h2 id="drawer-title">Post <code>${open.postId}</code></h2>
          <button type="button" class="quiet-button icon-only" aria-label="Close" @click=${actions.close}>${icon('cross')}</button>
        </header>
        ${newest ? post(state, newest, actions) : nothing}
        ${open.problem ? html`<p class="problem" role="alert">${open.problem}</p>` : nothing}
        ${!open.answer && !open.problem ? html`<p class="hint">Loading its revisions …</p>` : nothing}
        ${
          revisions.length > 0
            ? html`<h3>${revisions.length === 1 ? 'Its label' : `Its label, in ${revisions.length} revisions`}</h3>
                <ol class="revisions" reversed>
                  ${[...revisions].reverse().map((revision, index) => revisionItem(revision, index === 0, index === 0 ? (open.answer?.words ?? []) : []))}
                </ol>
                <p class="hint"><a href="/api/posts/${encodeURIComponent(open.postId)}" target="_blank" rel="noopener">The same as JSON</a></p>`
            : nothing
        }
      </div>
    </dialog>
  `;
}

function post(state: State, revision: RevisionView, actions: Actions): TemplateResult {
  const language = languageName(revision.language);
  const pictures = revision.pictures.filter((picture) => picture.preview !== null);
  return html`
    <p class="drawer-text" dir="auto" lang=${revision.language === 'und' ? nothing : revision.language}>${
      revision.text === '' ? html`<em>No text</em>` : revision.text
    }</p>
    ${
      pictures.length > 0
        ? html`<div class="drawer-pictures">
            ${pictures.map((picture) =>
              pictureButton(
                revision.postId,
                picture,
                isRevealed(state, revision.postId, picture.id),
                actions,
              ),
            )}
          </div>`
        : nothing
    }
    <div class="card-foot">
      ${pictureNotes(revision.pictures)}
      ${revision.flags.map((flag) => html`<span class="chip">${flagText(flag)}</span>`)}
      ${revision.synthetic ? html`<span class="chip chip-warn">Sample</span>` : nothing}
      ${revision.replayId ? html`<span class="chip chip-warn">Replay ${revision.replayId}</span>` : nothing}
    </div>
    <dl class="details">
      <dt>Written</dt><dd>${exact(revision.createdAt)}</dd>
      <dt>Collection</dt><dd>${revision.collection}</dd>
      <dt>Source</dt><dd>${revision.source}</dd>
      <dt>Language</dt><dd>${language ?? 'not recognised'}</dd>
    </dl>
  `;
}

/** Every class that the label names, unsure ones too. */
function tellsOf(revision: RevisionView): TemplateResult | typeof nothing {
  const named = revision.tasks.filter(
    ({ task, label, decision }) => task === 'humanitarian' && label !== null && decision !== 'no',
  );
  if (named.length === 0) return nothing;
  return html`<h4>It tells of</h4>
    <ul class="told">
      ${named.map(
        ({ label, probability, decision }) => html`<li>
          <span class="chip ${decision === 'yes' ? 'chip-class' : 'chip-open'}">${className(label ?? '')}</span>
          ${probability === null ? nothing : percent(probability)}${decision === 'unsure' ? ', unsure' : ''}
        </li>`,
      )}
    </ul>`;
}

/** The words that count, what was weighed, and what was not looked at. */
function why(revision: RevisionView, words: readonly string[]): TemplateResult | typeof nothing {
  const codes = [...words, ...(informative(revision)?.evidence ?? [])];
  const alone = onlyText(revision);
  const reasons = [...codes.map(reasonText), ...(alone === null ? [] : [alone])];
  if (reasons.length === 0) return nothing;
  return html`<h4>Why</h4>
    <ul class="reasons">${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`;
}

/** What the model would say of the text and of the picture alone; only where it looked at both. */
function byModality(score: TaskScore | undefined): TemplateResult | typeof nothing {
  const { text, image } = score?.byModality ?? { text: null, image: null };
  if (text === null || image === null) return nothing;
  return html`<h4>Each by itself</h4>
    ${modalityBar('Text', text)}${modalityBar('Picture', image)}`;
}

function revisionItem(revision: RevisionView, isNewest: boolean, words: readonly string[]): TemplateResult {
  const score = informative(revision);
  const took = revision.labelledAt - revision.receivedAt;
  return html`
    <li class="revision">
      <details ?open=${isNewest}>
        <summary>
          <span class="revision-number">Revision ${revision.revision}</span>
          ${decisionMark(score)}
        </summary>
        <p class="basis">
          ${score?.probability == null ? 'Not scored' : `Scored ${modalityText(revision)}`}, ${exact(revision.labelledAt)}${
            took >= 0 ? `, ${duration(took)} after the post arrived` : ''
          }.
        </p>
        ${why(revision, words)}
        ${tellsOf(revision)}
        ${byModality(score)}
        <dl class="details">
          ${
            score?.model
              ? html`<dt>Model</dt><dd>${score.model.name} ${score.model.version} <code>${score.model.sha256.slice(0, 12)}</code></dd>`
              : html`<dt>Model</dt><dd>none: there was nothing to score</dd>`
          }
          <dt>Thresholds</dt><dd>${revision.thresholds}</dd>
          <dt>Normaliser</dt><dd>${revision.normaliser}</dd>
          ${revision.traceId ? html`<dt>Trace</dt><dd><code class="trace">${revision.traceId}</code></dd>` : nothing}
        </dl>
      </details>
    </li>
  `;
}

const KEYS: readonly (readonly [string, string])[] = [
  ['j / k', 'next, previous post'],
  ['Enter', 'open the post'],
  ['Esc', 'close'],
  ['Space', 'pause, go on'],
  ['n', 'show new posts'],
  ['.', 'back to the newest'],
  ['/', 'search'],
  ['?', 'this list'],
];

export function help(state: State, actions: Actions, areKeysOn: boolean): TemplateResult | typeof nothing {
  if (!state.help) return nothing;
  return html`
    <dialog
      class="help"
      aria-labelledby="help-title"
      @cancel=${(event: Event) => {
        event.preventDefault();
        actions.toggleHelp();
      }}
      @click=${onBackdrop(actions.toggleHelp)}
    >
      <div class="drawer-content">
        <header>
          <h2 id="help-title">Keyboard</h2>
          <button type="button" class="quiet-button icon-only" aria-label="Close" @click=${actions.toggleHelp}>${icon('cross')}</button>
        </header>
        <dl class="keys">${KEYS.map(([key, what]) => html`<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`)}</dl>
        <label class="toggle">
          <input type="checkbox" .checked=${areKeysOn} @change=${actions.toggleKeys} /><span>Single-key shortcuts</span>
        </label>
      </div>
    </dialog>
  `;
}
