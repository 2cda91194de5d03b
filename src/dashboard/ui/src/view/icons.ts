/** The page's few icons, drawn in the text's colour; always beside a word, so hidden from screen readers. */
import { html, svg, type TemplateResult } from 'lit';

const SHAPES = {
  bell: svg`<path d="M10 3c-2.9 0-4.6 2-4.6 4.7v2.9L4 13.2h12l-1.4-2.6V7.7C14.6 5 12.9 3 10 3Z"/><path d="M8.3 15.3a1.8 1.8 0 0 0 3.4 0"/>`,
  dot: svg`<circle cx="10" cy="10" r="4.5" class="solid"/>`,
  pause: svg`<path d="M7.5 5v10M12.5 5v10"/>`,
  play: svg`<path d="M7 4.8v10.4l8-5.2z" class="solid"/>`,
  clock: svg`<circle cx="10" cy="10" r="6.5"/><path d="M10 6.3V10l2.6 1.6"/>`,
  slow: svg`<path d="M10 4.5 17 16H3z"/><path d="M10 8.8v3.2M10 13.9v.1"/>`,
  broken: svg`<path d="M4 4l12 12M7.2 13.6a4 4 0 0 1 5.6 0M4.6 10.4a7.6 7.6 0 0 1 3-1.9M15.4 10.4a7.6 7.6 0 0 0-4.9-2.1"/>`,
  loop: svg`<path d="M15.5 8A6 6 0 0 0 5 6.5L3.5 8M4.5 12A6 6 0 0 0 15 13.5l1.5-1.5"/><path d="M3.5 4.5V8H7M16.5 15.5V12H13"/>`,
  check: svg`<path d="m4.5 10.5 3.7 3.7 7.3-8"/>`,
  cross: svg`<path d="m5.5 5.5 9 9M14.5 5.5l-9 9"/>`,
  question: svg`<path d="M7.4 7.6c0-1.5 1.1-2.5 2.7-2.5s2.7 1 2.7 2.4c0 2-2.7 2.1-2.7 4.2M10 14.7v.1"/>`,
  minus: svg`<path d="M5 10h10"/>`,
  picture: svg`<rect x="3" y="4" width="14" height="12" rx="2"/><path d="m3.5 14 4-4 3 3 2.5-2.5 3.5 3.5"/><circle cx="12.8" cy="7.6" r="1.1"/>`,
  noPicture: svg`<path d="M3 3l14 14M7 4h8a2 2 0 0 1 2 2v8M15.5 16H5a2 2 0 0 1-2-2V5.5"/>`,
  people: svg`<circle cx="7.5" cy="7" r="2.6"/><path d="M2.8 15.5c.4-2.9 2.2-4.4 4.7-4.4s4.3 1.5 4.7 4.4M12.7 4.7a2.4 2.4 0 0 1 0 4.6M14.3 11.5c1.6.5 2.6 1.9 2.9 4"/>`,
  posts: svg`<path d="M4 5.5h12v8H9.5L6 16.5v-3H4z"/>`,
  search: svg`<circle cx="9" cy="9" r="4.8"/><path d="m12.7 12.7 3.8 3.8"/>`,
  up: svg`<path d="M10 16V4.5M5 9.5l5-5 5 5"/>`,
  keyboard: svg`<rect x="2.5" y="5.5" width="15" height="9.5" rx="2"/><path d="M5.5 8.5h.1M8.5 8.5h.1M11.5 8.5h.1M14.5 8.5h.1M7 12h6"/>`,
  eye: svg`<path d="M2.8 10S5.5 5.3 10 5.3 17.2 10 17.2 10 14.5 14.7 10 14.7 2.8 10 2.8 10Z"/><circle cx="10" cy="10" r="2"/>`,
} as const;

export type IconName = keyof typeof SHAPES;

export const icon = (name: IconName): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">${SHAPES[name]}</svg>`;
