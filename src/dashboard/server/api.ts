/** What can be read over HTTP: ledger, labels, posts, claims, alerts, previews, health and metrics. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Metrics } from '../../metrics/metrics.ts';
import type { LabelsAnswer, PostAnswer, Pulse, RevisionView } from '../wire.ts';
import type { Feed } from './feed.ts';
import type { LedgerReader } from './ledger-reader.ts';
import type { Lookup } from './lookup.ts';
import type { Memory, PlaceInFeed } from './memory.ts';
import { problem } from './problem.ts';

export interface ApiDeps {
  readonly memory: Memory;
  readonly feed: Feed;
  readonly ledger: LedgerReader;
  readonly lookup: Lookup;
  readonly pulse: () => Pulse;
  readonly metrics: Metrics;
  /** Bytes of a preview; null for an unknown key. */
  readonly preview: (key: string) => Promise<Uint8Array | null>;
  /** The words that count most in a label; null where it cannot be explained. */
  readonly explain: (revision: RevisionView) => Promise<readonly string[] | null>;
}

const MAX_LIMIT = 500;
const limit = (fallback: number): z.ZodType<number> =>
  z.coerce
    .number({ error: 'limit must be a number' })
    .int('limit must be a whole number')
    .min(1, 'limit must be 1 or more')
    .default(fallback)
    .transform((asked) => Math.min(asked, MAX_LIMIT));

const labelsQuery = z.object({ limit: limit(50), before: z.string().max(600).optional() });
const claimsQuery = z.object({
  limit: limit(50),
  sort: z.enum(['largest', 'newest'], { error: 'sort must be largest or newest' }).default('largest'),
});
const alertsQuery = z.object({ limit: limit(50) });

export function registerApi(app: FastifyInstance, deps: ApiDeps): void {
  const { memory } = deps;

  /** A cursor, or simply the id of a post. */
  const placeOf = (before: string): PlaceInFeed | null => memory.place(before) ?? readPlace(before);

  app.get('/api/ledger', async () => deps.ledger.read());

  app.get('/api/pulse', async () => deps.pulse());

  app.get('/api/labels', async (request, reply) => {
    const query = labelsQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send(badQuery(query.error));
    const before = query.data.before === undefined ? undefined : placeOf(query.data.before);
    if (before === null)
      return reply
        .code(400)
        .send(
          problem(
            'bad_cursor',
            'before must be the `next` of an earlier answer, or the id of a post that is still held.',
          ),
        );
    const labels = memory.newest(query.data.limit, before);
    const last = labels.at(-1);
    const more = last !== undefined && memory.newest(1, last).length > 0;
    return { labels, next: more ? writePlace(last) : null } satisfies LabelsAnswer;
  });

  app.get<{ Params: { id: string }; Querystring: { explain?: string } }>(
    '/api/posts/:id',
    async (request, reply) => {
      const postId = request.params.id;
      const held = memory.revisions(postId);
      // The memory may have begun in the middle of a post's life.
      const revisions = held?.[0]?.revision === 1 ? held : await deps.lookup.revisions(postId);
      const known = revisions.length > 0 ? revisions : (held ?? []);
      if (known.length === 0)
        return reply
          .code(404)
          .send(problem('unknown_post', `There is no label of a post ${postId.slice(0, 256)}.`));
      const newest = known.at(-1);
      const words = request.query.explain === '1' && newest ? await deps.explain(newest) : null;
      return { postId, revisions: known, ...(words ? { words } : {}) } satisfies PostAnswer;
    },
  );

  app.get('/api/claims', async (request, reply) => {
    const query = claimsQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send(badQuery(query.error));
    return { claims: memory.claims(query.data.sort, query.data.limit) };
  });

  app.get('/api/alerts', async (request, reply) => {
    const query = alertsQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send(badQuery(query.error));
    return { alerts: memory.alerts(query.data.limit) };
  });

  app.get<{ Params: { key: string } }>('/media/:key', async (request, reply) => {
    const { key } = request.params;
    const bytes = /^[0-9a-f]{64}$/.test(key) ? await deps.preview(key) : null;
    const type = bytes && pictureType(bytes);
    if (!bytes || !type) return reply.code(404).send(problem('unknown_picture', 'There is no such preview.'));
    return reply
      .header('content-type', type)
      .header('cache-control', 'private, max-age=31536000, immutable')
      .header('content-security-policy', "default-src 'none'; sandbox")
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  });

  app.get('/livez', async (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'));

  app.get('/readyz', async (_request, reply) => {
    const { problem: wrong } = deps.pulse();
    const why = wrong ?? (deps.feed.loaded() ? null : 'The newest labels are still being read.');
    return reply
      .code(why === null ? 200 : 503)
      .type('text/plain; charset=utf-8')
      .send(`${why ?? 'ok'}\n`);
  });

  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await deps.metrics.expose();
    return reply.header('content-type', contentType).send(body);
  });
}

const badQuery = (error: z.ZodError) =>
  problem('bad_query', `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`);

/** Cursors are opaque to callers, so that the order may change. */
const writePlace = ({ arrivedAt, postId }: PlaceInFeed): string =>
  Buffer.from(JSON.stringify([arrivedAt, postId])).toString('base64url');

const place = z.tuple([z.number(), z.string()]);

function readPlace(cursor: string): PlaceInFeed | null {
  try {
    const [arrivedAt, postId] = place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { arrivedAt, postId };
  } catch {
    return null;
  }
}

/** By what the bytes are, whatever anybody says they are; null for anything but the three kinds of preview. */
function pictureType(bytes: Uint8Array): string | null {
  const starts = (hex: string, at = 0): boolean =>
    Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(hex.length / 2, bytes.length - at)).toString(
      'hex',
    ) === hex;
  if (bytes.length < 12) return null;
  if (starts('ffd8ff')) return 'image/jpeg';
  if (starts('89504e470d0a1a0a')) return 'image/png';
  return starts('52494646') && starts('57454250', 8) ? 'image/webp' : null;
}
