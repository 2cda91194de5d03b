/** The door for posts: JSON as people send it → PostEvents, or a reason that its sender can act on. */
import { z } from 'zod';
import { hashAuthor } from '../config/keys.ts';
import type { Media, PostEvent } from '../event/records.ts';

/** Why a post was not taken. The closed list. */
export const REJECTION_CODES = [
  'bad_json',
  'not_an_object',
  'too_many_posts',
  'missing_id',
  'bad_id',
  'missing_text',
  'bad_text',
  'text_too_large',
  'missing_time',
  'bad_time',
  'bad_author',
  'bad_lang',
  'bad_collection',
  'bad_media',
  'too_many_media',
  'media_too_large',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/** @property index Place of the post in the array, or among the non-empty lines. */
export interface Rejection {
  readonly index: number;
  readonly code: RejectionCode;
  readonly message: string;
}

export interface AcceptedPosts {
  readonly accepted: readonly PostEvent[];
  readonly rejected: readonly Rejection[];
}

export interface PostDoor {
  /** Milliseconds; the run's clock. */
  readonly now: () => number;
  /** Authors are known by this key's HMAC only. */
  readonly authorKey: Uint8Array;
  /** Puts an inline picture into the media store's quarantine; answers its sha256 in hex. */
  readonly keepPicture: (bytes: Uint8Array) => Promise<string>;
  /** Name of the source in the events; `http` by default. */
  readonly source?: string;
  /** Collection of posts that name none; `live` by default. */
  readonly collection?: string;
}

export const MAX_POSTS: number = 10_000;
export const MAX_TEXT_BYTES: number = 1_000_000;
export const MAX_PICTURES: number = 16;
export const MAX_PICTURE_BYTES: number = 8_000_000;
const MAX_URL_LENGTH = 2_048;
const MAX_PAST_MS = 30 * 86_400_000;
const MAX_FUTURE_MS = 5 * 60_000;
/** Smaller numbers are seconds, or nonsense: in milliseconds they lie before March 1973. */
const MIN_EPOCH_MS = 100_000_000_000;

/** A rejection on its way through zod: `code: message`. */
const because = (code: RejectionCode, message: string): { readonly error: string } => ({
  error: `${code}: ${message}`,
});

const TIME_HELP = 'createdAt must be ISO 8601 with a zone (2026-03-01T12:00:00Z) or milliseconds since 1970.';

const fitsInto = (bytes: number) => (text: string) =>
  text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;

/** Two answers: one for a field that is not there, one for a field of the wrong kind. */
const required = (missing: RejectionCode, help: string, code: RejectionCode, message: string) => ({
  error: (issue: { readonly input?: unknown }) =>
    issue.input == null ? `${missing}: ${help}` : `${code}: ${message}`,
});

const instant = z
  .union(
    [z.number(), z.string()],
    required('missing_time', `createdAt is missing. ${TIME_HELP}`, 'bad_time', TIME_HELP),
  )
  .transform((value, context) => {
    const ms = typeof value === 'number' ? value : isoToMs(value);
    if (Number.isFinite(ms) && ms >= MIN_EPOCH_MS && ms <= 8.64e15) return Math.trunc(ms);
    const seconds = typeof value === 'number' && value > 0 && value < MIN_EPOCH_MS;
    context.addIssue({
      code: 'custom',
      message: `bad_time: ${seconds ? 'createdAt looks like seconds: give milliseconds.' : TIME_HELP}`,
    });
    return z.NEVER;
  });

const iso = z.iso.datetime({ offset: true });
const isoToMs = (value: string): number => (iso.safeParse(value).success ? Date.parse(value) : Number.NaN);

const picture = z
  .object(
    {
      id: z
        .string()
        .min(1)
        .max(128)
        .regex(/^[^\p{Cc}\p{Cs}]+$/u)
        .nullish(),
      url: z.string().max(MAX_URL_LENGTH).nullish(),
      data: z.string().nullish(),
      contentType: z.string().max(128).nullish(),
    },
    because('bad_media', 'each picture is an object with id?, url or data (base64), contentType?.'),
  )
  .superRefine(({ url, data }, context) => {
    const complain = (message: string): void => context.addIssue({ code: 'custom', message });
    if ((url == null) === (data == null))
      return complain('bad_media: a picture has either url or data (base64).');
    if (url != null && !isFetchable(url))
      return complain('bad_media: url must be an http or https address without user name or password.');
    if (data == null) return;
    if (data.length === 0 || data.length % 4 === 1 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(data))
      return complain('bad_media: data is not base64.');
    if (Math.floor((data.length * 3) / 4) - 2 > MAX_PICTURE_BYTES)
      complain(`media_too_large: a picture may have ${MAX_PICTURE_BYTES} bytes; give its url instead.`);
  });

const post = z.object(
  {
    id: z
      .string(
        required(
          'missing_id',
          'id is missing: give the post an id that is unique in its source.',
          'bad_id',
          'id must be a string (a number would lose digits).',
        ),
      )
      .regex(
        /^[^\p{Cc}\p{Cs}]{1,256}$/u,
        because('bad_id', 'id has 1 to 256 characters, none of them control characters.'),
      ),
    text: z
      .string(
        required(
          'missing_text',
          'text is missing; an empty text is allowed where there are pictures.',
          'bad_text',
          'text must be a string.',
        ),
      )
      .refine(
        fitsInto(MAX_TEXT_BYTES),
        because('text_too_large', `text may have ${MAX_TEXT_BYTES} bytes of UTF-8.`),
      ),
    createdAt: instant,
    author: z
      .string(because('bad_author', 'author must be a string; it is kept only as a keyed hash.'))
      .max(512, because('bad_author', 'author may have 512 characters.'))
      .nullish(),
    lang: z
      .string(because('bad_lang', 'lang must be a language code such as en or pt-BR.'))
      .regex(
        /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/,
        because('bad_lang', 'lang must be a language code such as en or pt-BR.'),
      )
      .nullish(),
    collection: z
      .string(because('bad_collection', 'collection must be a string.'))
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
        because('bad_collection', 'collection has up to 64 letters, digits, dots, dashes or underscores.'),
      )
      .nullish(),
    media: z
      .array(picture, because('bad_media', 'media must be an array of pictures.'))
      .max(MAX_PICTURES, because('too_many_media', `a post may have ${MAX_PICTURES} pictures.`))
      .refine(
        (pictures) => new Set(pictures.map(pictureId)).size === pictures.length,
        because('bad_media', 'two pictures of the post have the same id.'),
      )
      .nullish(),
  },
  because('not_an_object', 'a post is an object with id, text and createdAt.'),
);

/** A body (one object, an array or NDJSON, UTF-8) → events, in order, and what was wrong with the others. */
export async function acceptPosts(body: Uint8Array | string, door: PostDoor): Promise<AcceptedPosts> {
  const { values, rejected } = readBody(body);
  const accepted: PostEvent[] = [];
  const complaints: Rejection[] = [...rejected];
  for (const { index, value } of values) {
    const parsed = post.safeParse(value);
    if (parsed.success) accepted.push(await toEvent(parsed.data, door));
    else complaints.push({ index, ...complaintOf(parsed.error) });
  }
  return { accepted, rejected: complaints.sort((a, b) => a.index - b.index) };
}

async function toEvent(given: z.output<typeof post>, door: PostDoor): Promise<PostEvent> {
  const now = door.now();
  const source = door.source ?? 'http';
  const media: Media[] = [];
  for (const [index, one] of (given.media ?? []).entries())
    media.push({
      id: pictureId(one, index),
      ref:
        one.data == null
          ? (one.url as string)
          : `store:${await door.keepPicture(Buffer.from(one.data, 'base64'))}`,
    });
  return {
    kind: 'PostEvent',
    id: given.id,
    collection: given.collection ?? door.collection ?? 'live',
    source,
    // A lone surrogate has no UTF-8; what goes into the log must come out the same.
    text: given.text.replace(LONE_SURROGATES, '\ufffd'),
    createdAt: Math.min(Math.max(given.createdAt, now - MAX_PAST_MS), now + MAX_FUTURE_MS),
    receivedAt: now,
    language: languageOf(given.lang),
    authorHash: given.author ? hashAuthor(door.authorKey, source, given.author) : null,
    place: null,
    media,
    picturesApart: false,
    synthetic: false,
  };
}

const LONE_SURROGATES = /\p{Cs}/gu;

const pictureId = (one: { readonly id?: string | null | undefined }, index: number): string =>
  one.id ?? `m${index}`;

/** ISO 639-1 or nothing: three-letter codes are left to the language identifier. */
function languageOf(lang: string | null | undefined): string | null {
  const primary = lang?.split('-')[0]?.toLowerCase();
  return primary?.length === 2 ? primary : null;
}

function isFetchable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  );
}

/** The first complaint: a sender mends one thing at a time. */
function complaintOf(error: z.ZodError): { readonly code: RejectionCode; readonly message: string } {
  const issue = error.issues[0];
  const match = /^([a-z_]+): (.*)$/s.exec(issue?.message ?? '');
  const code = match?.[1] as RejectionCode | undefined;
  if (match && code && REJECTION_CODES.includes(code)) return { code, message: match[2] as string };
  // Only the fields of a picture have zod's own messages.
  return {
    code: 'bad_media',
    message: `${issue?.path.join('.') ?? 'media'}: ${issue?.message ?? 'is not valid'}`,
  };
}

interface ReadBody {
  readonly values: readonly { readonly index: number; readonly value: unknown }[];
  readonly rejected: readonly Rejection[];
}

const nothing = (message: string): ReadBody => ({
  values: [],
  rejected: [{ index: 0, code: 'bad_json', message }],
});

function readBody(body: Uint8Array | string): ReadBody {
  let text: string;
  try {
    text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return nothing('the body is not UTF-8.');
  }
  if (text.trim() === '') return nothing('the body is empty: send an object, an array or NDJSON.');
  const whole = parseJson(text);
  if ('value' in whole) return bounded(Array.isArray(whole.value) ? whole.value : [whole.value]);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const parsed = lines.slice(0, MAX_POSTS).map(parseJson);
  // A broken document spread over lines is one mistake, not one for every line.
  if (!parsed.some((line) => 'value' in line && line.value !== null && typeof line.value === 'object'))
    return nothing(`the body is not JSON: ${whole.problem}`);
  const rejected: Rejection[] = [];
  const values: { index: number; value: unknown }[] = [];
  for (const [index, line] of parsed.entries())
    if ('value' in line) values.push({ index, value: line.value });
    else rejected.push({ index, code: 'bad_json', message: `line is not JSON: ${line.problem}` });
  return { values, rejected: [...rejected, ...overflow(lines.length)] };
}

const bounded = (posts: readonly unknown[]): ReadBody =>
  posts.length === 0
    ? nothing('the array is empty.')
    : {
        values: posts.slice(0, MAX_POSTS).map((value, index) => ({ index, value })),
        rejected: overflow(posts.length),
      };

const overflow = (count: number): Rejection[] =>
  count <= MAX_POSTS
    ? []
    : [
        {
          index: MAX_POSTS,
          code: 'too_many_posts',
          message: `${count - MAX_POSTS} posts from here on were not read: send at most ${MAX_POSTS} at once.`,
        },
      ];

function parseJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    // V8 quotes what it stumbled over; a sender's text must not come back at any length.
    return { problem: (error as Error).message.slice(0, 120) };
  }
}
