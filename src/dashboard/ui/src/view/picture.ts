/** A picture of a post: its placeholder at once, its preview veiled until somebody asks to see it. */
import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { thumbHashToRGBA } from 'thumbhash';
import type { PictureView } from '../../../wire.ts';
import type { Actions } from './actions.ts';
import { icon } from './icons.ts';

export const pictureKey = (postId: string, pictureId: string): string => `${postId}/${pictureId}`;

/** Draws the 25-byte placeholder; a canvas needs no data: address, which the security policy forbids. */
const paint =
  (hash: string | null) =>
  (element: Element | undefined): void => {
    const canvas = element as HTMLCanvasElement | undefined;
    if (!canvas || hash === null || canvas.dataset['hash'] === hash) return;
    canvas.dataset['hash'] = hash;
    try {
      const { w, h, rgba } = thumbHashToRGBA(Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)));
      canvas.width = w;
      canvas.height = h;
      canvas.getContext('2d')?.putImageData(new ImageData(new Uint8ClampedArray(rgba), w, h), 0, 0);
    } catch {
      // A placeholder that cannot be drawn is only a grey one.
    }
  };

/** A preview that has been cleaned away leaves its placeholder. */
const hideBroken = (event: Event): void => {
  (event.currentTarget as HTMLImageElement).hidden = true;
};

export function pictureButton(
  postId: string,
  picture: PictureView,
  isRevealed: boolean,
  actions: Actions,
): TemplateResult | typeof nothing {
  if (picture.preview === null) return nothing;
  const key = pictureKey(postId, picture.id);
  return html`
    <button
      type="button"
      class="picture ${isRevealed ? 'is-revealed' : ''}"
      aria-pressed=${isRevealed ? 'true' : 'false'}
      aria-label=${isRevealed ? 'Veil the picture again' : 'Show the picture; it may be disturbing'}
      @click=${(event: Event) => {
        event.stopPropagation();
        actions.reveal(key);
      }}
    >
      <canvas ${ref(paint(picture.thumbhash))} width="8" height="8" aria-hidden="true"></canvas>
      <img src=${picture.preview} alt="" loading="lazy" decoding="async" @error=${hideBroken} />
      <span class="veil" aria-hidden="true">${icon('eye')}<span>Show</span></span>
    </button>
  `;
}

/** Pictures that are on their way or that will not come, in words. */
export function pictureNotes(pictures: readonly PictureView[]): readonly TemplateResult[] {
  const pending = pictures.filter((picture) => picture.outcome === 'pending').length;
  const refused = pictures.filter((picture) => picture.outcome === 'refused');
  const notes: TemplateResult[] = [];
  if (pending > 0)
    notes.push(
      html`<span class="chip chip-pending">${icon('picture')}${pending === 1 ? 'Picture' : `${pending} pictures`} on the way</span>`,
    );
  const reasons = [
    ...new Set(refused.map((picture) => picture.reasonText ?? 'The picture could not be used.')),
  ];
  for (const reason of reasons)
    notes.push(html`<span class="chip chip-refused">${icon('noPicture')}${reason}</span>`);
  return notes;
}
