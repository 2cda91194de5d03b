/** What travels with a media request and comes back with its answer, signed so that nobody else can make one up. */
import { createHash } from 'node:crypto';
import { hmacHex, sameHex } from '../config/keys.ts';
import type { Media, MediaContext, MediaRequest } from '../event/records.ts';

/** Bytes (UTF-8 of its JSON) that a context may take. */
export const MAX_CONTEXT_BYTES: number = 4_096;

/** What the signature covers, as request and answer both carry it. */
export type SignedParts = Pick<MediaRequest, 'postId' | 'mediaSetHash' | 'media' | 'context'>;

/** One spelling for equal contents, whatever the order of fields in the object at hand. */
function canonical(environment: string, parts: SignedParts): string {
  const c = parts.context;
  return JSON.stringify([
    environment,
    parts.postId,
    parts.mediaSetHash,
    parts.media.map((item) => [item.id, item.ref]),
    [
      c.labelId,
      c.revision,
      c.text,
      c.language,
      c.collection,
      c.source,
      c.createdAt,
      c.authorHash,
      c.flags,
      c.synthetic,
    ],
  ]);
}

/** HMAC-SHA-256 (hex) over environment, post id, media (with their set's hash) and context. */
export function signContext(key: Uint8Array, environment: string, parts: SignedParts): string {
  return hmacHex(key, canonical(environment, parts));
}

/** Whether `mac` was made by `signContext` with this key, environment and contents. */
export function verifyContext(
  key: Uint8Array,
  environment: string,
  parts: SignedParts & { readonly mac: string },
): boolean {
  return sameHex(signContext(key, environment, parts), parts.mac);
}

/**
 * Names a request: 32 hex digits that follow from who asks (the post id, or the id of the picture event) and from
 * what for, so that a request made again is the same request.
 */
export function mediaSetHash(requestId: string, media: readonly Media[]): string {
  return createHash('sha256')
    .update(JSON.stringify([requestId, media.map((item) => [item.id, item.ref])]))
    .digest('hex')
    .slice(0, 32);
}

/** The context itself, or one with its text cut (flag `context_cut`) so that it takes at most MAX_CONTEXT_BYTES. */
export function boundContext(context: MediaContext): MediaContext {
  const bytes = Buffer.byteLength(JSON.stringify(context));
  if (bytes <= MAX_CONTEXT_BYTES) return context;
  const flags = context.flags.includes('context_cut') ? context.flags : [...context.flags, 'context_cut'];
  const flagged = { ...context, flags };
  const room = MAX_CONTEXT_BYTES - Buffer.byteLength(JSON.stringify({ ...flagged, text: '' }));
  let used = 0;
  let text = '';
  for (const point of context.text) {
    // JSON may need an escape: counted as JSON spells it.
    used += Buffer.byteLength(JSON.stringify(point)) - 2;
    if (used > room) break;
    text += point;
  }
  return { ...flagged, text: text.trimEnd() };
}
