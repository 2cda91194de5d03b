/** Numbers, times and codes → what people read. */
import type { Decision, TaskScore } from '../../../event/records.ts';
import type { PostView, Pulse, RevisionView } from '../../wire.ts';

const LOCALE = 'en-GB';
const whole = new Intl.NumberFormat(LOCALE);
const clock = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const shortClock = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const languages = new Intl.DisplayNames(LOCALE, { type: 'language', fallback: 'code' });

export const count = (value: number): string => whole.format(value);

export const timeOfDay = (at: number): string => clock.format(at);

/** 14:02 today (14:02:11 with seconds), else 25 Aug 2017, 14:02. */
export function moment(at: number, today: number, seconds = false): string {
  return day.format(at) === day.format(today)
    ? (seconds ? clock : shortClock).format(at)
    : `${day.format(at)}, ${shortClock.format(at)}`;
}

/** With the day and the seconds, for titles and the drawer. */
export const exact = (at: number): string => `${day.format(at)}, ${clock.format(at)}`;

/** 240 ms, 4.2 s, 12 s, 4 min, 2 h 10 min, 3 d. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = ms / 1_000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3_600) return `${Math.round(s / 60)} min`;
  const hours = Math.floor(s / 3_600);
  const minutes = Math.floor((s % 3_600) / 60);
  if (hours < 24) return minutes > 0 && hours < 10 ? `${hours} h ${minutes} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

/** now, 12 s ago, 4 min ago. */
export function age(at: number, now: number): string {
  const ms = now - at;
  return ms < 3_000 ? 'just now' : `${ms < 10_000 ? `${Math.round(ms / 1_000)} s` : duration(ms)} ago`;
}

/** When the post was written: an age while the stream is live, the event's own clock in a replay. */
export function postTime(post: RevisionView, pulse: Pulse | null, now: number): string {
  const live = pulse === null || pulse.stream === 'live';
  return live ? age(post.createdAt, now) : moment(post.createdAt, pulse.newestEventAt ?? now);
}

/** 93 %; below 1 % and above 99 % never rounded to certainty. */
export function percent(probability: number): string {
  const rounded = Math.round(probability * 100);
  if (rounded === 0) return '<1 %';
  return rounded === 100 ? '>99 %' : `${rounded} %`;
}

export const share = (value: number): string => `${Math.round(value * 100)} %`;

export const informative = (post: RevisionView): TaskScore | undefined =>
  post.tasks.find((task) => task.task === 'informative');

/** What a post tells of, the likeliest class first. A post that does not inform tells of nothing that anybody looks for. */
export const toldOf = (post: RevisionView): readonly TaskScore[] =>
  post.tasks
    .filter(
      ({ task, decision }) =>
        task === 'humanitarian' && decision === 'yes' && informative(post)?.decision !== 'no',
    )
    .sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0));

/** Classes of the shipped humanitarian model, as the filter offers them. */
export const CLASSES: Readonly<Record<string, string>> = {
  affected_people: 'People affected',
  infrastructure_damage: 'Damage',
  caution_and_advice: 'Advice',
  aid: 'Aid',
  sympathy_and_support: 'Sympathy',
  other_relevant: 'Other information',
};

export const className = (label: string): string => CLASSES[label] ?? label.replaceAll('_', ' ');

const DECISIONS: Readonly<Record<Decision, string>> = {
  yes: 'Informative',
  no: 'Not informative',
  unsure: 'Unsure',
};

export const decisionWord = (decision: Decision): string => DECISIONS[decision];

/** Name of a language: es → Spanish; nothing for an unknown one. */
export function languageName(code: string): string | null {
  if (code === '' || code === 'und') return null;
  try {
    return languages.of(code) ?? code;
  } catch {
    return code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  no_text: 'There is no text to read.',
  no_known_words: 'None of the words are in the model’s vocabulary.',
  few_known_words: 'Few of the words are in the model’s vocabulary.',
  image_not_scored: 'The model has not learnt to read pictures; the answer rests on the text.',
};

/** `word:bridge:+0.31`: how far the probability falls without the word. */
function wordText(code: string): string {
  const [, word = '', drop = ''] = code.split(':');
  const points = Math.round(100 * Math.abs(Number(drop)));
  return `“${word}” speaks ${drop.startsWith('-') ? 'against' : 'for'} it: ${points} points.`;
}

/** `text_share:62`: how far the answer moves without the text, of what it moves without either. */
function shareText(detail: string): string {
  const share = Math.min(99, Math.max(1, Number(detail)));
  return `The text weighs ${share} %, the picture ${100 - share} %: by how far the answer moves without it.`;
}

/** A machine-written reason in words. */
export function reasonText(code: string): string {
  const known = REASONS[code];
  if (known) return known;
  const [name, detail] = code.split(':');
  if (name === 'text_share') return shareText(detail ?? '');
  if (name === 'picture') return `Of several pictures, ${detail} weighed most.`;
  if (name === 'word') return wordText(code);
  return `${(name ?? code).replaceAll('_', ' ')}${detail ? `: ${detail}` : ''}`;
}

const RUMOUR_REASONS: Readonly<Record<string, (detail: string) => string>> = {
  contents: (n) => `It rests on ${n === '1' ? 'one text or picture' : `${n} different texts or pictures`}.`,
  pending: (n) =>
    n === ''
      ? 'The scorer has not answered yet.'
      : `${n} more ${n === '1' ? 'is' : 'are'} waiting for the scorer.`,
  not_scored: (n) => `${n} could not be scored.`,
  no_content: () => 'There is neither text nor picture to score.',
};

/** `from:…` in one sentence, so that nobody takes a text for a text with its picture. */
function readText(evidence: readonly string[]): string[] {
  const [text, image] = [evidence.includes('from:text'), evidence.includes('from:image')];
  if (text && image) return ['Text and picture were looked at.'];
  return text ? ['Only text was read.'] : image ? ['Only the picture was looked at.'] : [];
}

/** The reasons of a rumour score in words. */
export function rumourReasons(evidence: readonly string[]): string[] {
  const others = evidence.filter((code) => !code.startsWith('from:'));
  const words = others.map((code) => {
    const [name = '', detail = ''] = code.split(':');
    return RUMOUR_REASONS[name]?.(detail) ?? reasonText(code);
  });
  return [...readText(evidence), ...words];
}

const FLAGS: Readonly<Record<string, string>> = {
  retweet: 'Repost',
  truncated: 'Text was cut',
  empty_text: 'No text',
  orphan: 'Picture without its post',
  context_cut: 'Shortened for the picture’s turn',
};

export const flagText = (flag: string): string => FLAGS[flag] ?? flag.replaceAll('_', ' ');

/** What a score rests on: text, picture, text and picture; where there is none, why. */
export function modalityText(post: RevisionView): string {
  const score = informative(post);
  if (score?.probability === null) return reasonText(score.evidence[0] ?? 'nothing_to_score');
  const names = post.modalities.map((modality) => (modality === 'image' ? 'picture' : 'text'));
  return `from ${names.join(' and ')}`;
}

/** Why a post with no picture, or none that could be used, was judged by its text alone; null where reasons say it already. */
export function onlyText({ modalities, pictures }: RevisionView): string | null {
  if (modalities.join() !== 'text' || pictures.some(({ outcome }) => outcome === 'ready')) return null;
  if (pictures.length === 0) return 'Only the text was read: the post has no picture.';
  return pictures.some(({ outcome }) => outcome === 'pending')
    ? 'Only the text was read: its picture was not there yet.'
    : 'Only the text was read: its picture could not be used.';
}

/** Milliseconds from arrival to label, the median of the newest posts; null without posts. */
export function typicalDelay(posts: readonly PostView[]): number | null {
  const delays = posts
    .filter((post) => post.revision === 1)
    .slice(0, 50)
    .map((post) => Math.max(0, post.labelledAt - post.receivedAt))
    .sort((a, b) => a - b);
  return delays[Math.floor(delays.length / 2)] ?? null;
}
