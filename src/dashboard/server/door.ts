/** What can be sent over HTTP: posts into crisis.events.v1 and rulings into crisis.evidence.v1. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Codec } from '../../bus/codec.ts';
import { message, NO_LINEAGE, traceparentFor } from '../../bus/messages.ts';
import type { Bus, OutgoingRecord } from '../../bus/port.ts';
import { TOPICS } from '../../bus/topics.ts';
import type { PostEvent, Ruling } from '../../event/records.ts';
import { acceptPosts, type PostDoor } from '../../ingest/posts.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Pulse, RulingRequest } from '../wire.ts';
import type { Memory } from './memory.ts';
import { problem } from './problem.ts';

export interface DoorLimits {
  readonly bodyBytes: number;
  /** Requests worked on at once: each may hold a whole body. */
  readonly concurrent: number;
  /** Posts that may wait for their label before the door closes. */
  readonly inFlight: number;
}

export const DOOR_LIMITS: DoorLimits = { bodyBytes: 8 * 1024 * 1024, concurrent: 8, inFlight: 500_000 };

/** Seconds after which a turned-away sender may try again. */
const RETRY_AFTER = '5';
/** Nobody logs in yet, so a ruling names a role. */
const RULED_BY = 'coordinator';

const SERVICE = 'dashboard';

const rulingRequest: z.ZodType<RulingRequest> = z
  .strictObject({
    claimId: z.string().min(1).max(256).optional(),
    postId: z.string().min(1).max(256).optional(),
    task: z.enum(['rumour', 'informative']),
    ruling: z.enum(['true', 'false', 'unclear', 'informative', 'not_informative']),
    undoes: z.string().min(1).max(128).optional(),
  })
  .refine((r) => (r.claimId === undefined) !== (r.postId === undefined), 'give either claimId or postId')
  .refine(
    (r) => (r.task === 'rumour') === ['true', 'false', 'unclear'].includes(r.ruling),
    'rumour is ruled true, false or unclear; informative is ruled informative or not_informative',
  ) as z.ZodType<RulingRequest>;

const POST_RESULTS = ['accepted', 'rejected', 'overload'] as const;
type PostResult = (typeof POST_RESULTS)[number];

export function registerDoor(
  app: FastifyInstance,
  deps: {
    readonly bus: Bus;
    readonly codec: Codec;
    readonly memory: Memory;
    readonly clock: Clock;
    readonly metrics: Metrics;
    readonly pulse: () => Pulse;
    readonly posts: PostDoor;
    readonly newId: () => string;
    readonly limits: DoorLimits;
  },
): void {
  const { bus, codec, memory, clock, metrics, limits } = deps;
  const counted = (result: PostResult, by: number): void =>
    metrics.count('tocsin_http_posts_total', { result }, by);
  for (const result of POST_RESULTS) counted(result, 0);
  let working = 0;

  const overload = (): string | null => {
    if (working >= limits.concurrent) return 'Too many bodies are being read at once.';
    const waiting = deps.pulse().ledger?.inFlight ?? 0;
    return waiting > limits.inFlight ? `${waiting} posts are waiting for their label.` : null;
  };

  app.post(
    '/events',
    {
      bodyLimit: limits.bodyBytes,
      // Before the body is read: a full house must not fill its memory too.
      onRequest: async (_request, reply) => {
        const full = overload();
        if (full === null) return;
        counted('overload', 1);
        return reply
          .code(429)
          .header('retry-after', RETRY_AFTER)
          .send(problem('overload', `${full} Try again in ${RETRY_AFTER} s.`));
      },
    },
    async (request, reply) => {
      working += 1;
      try {
        const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
        const { accepted, rejected } = await acceptPosts(body, deps.posts);
        if (accepted.length > 0) await bus.produce(accepted.map((post) => postMessage(codec, post)));
        counted('accepted', accepted.length);
        counted('rejected', rejected.length);
        return reply.code(accepted.length > 0 ? 202 : 400).send({ accepted: accepted.length, rejected });
      } catch (thrown) {
        if (!(thrown instanceof TocsinError) || thrown.code !== 'BUS_FULL') throw thrown;
        counted('overload', 1);
        return reply
          .code(429)
          .header('retry-after', RETRY_AFTER)
          .send(problem('overload', 'The bus is full. Try again when the workers have caught up.'));
      } finally {
        working -= 1;
      }
    },
  );

  app.post('/api/rulings', { bodyLimit: 4_096 }, async (request, reply) => {
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
      return reply.code(415).send(problem('not_json', 'Send the ruling as application/json.'));
    const parsed = rulingRequest.safeParse(readJson(request.body));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = issue?.path.length ? `${issue.path.join('.')}: ` : '';
      return reply.code(400).send(problem('bad_ruling', `${where}${issue?.message}`));
    }
    const { claimId, postId, task, ruling, undoes } = parsed.data;
    const target = claimId === undefined ? memory.revisions(postId as string)?.at(-1) : memory.claim(claimId);
    if (!target)
      return reply
        .code(404)
        .send(problem('unknown_target', 'That claim or post is not among those that the dashboard holds.'));
    const record: Ruling = {
      kind: 'Ruling',
      id: deps.newId(),
      collection: target.collection,
      postId: postId ?? null,
      claimId: claimId ?? null,
      task,
      ruling,
      by: RULED_BY,
      at: clock.now(),
      undoes: undoes ?? null,
    };
    await bus.produce([
      message(codec, TOPICS.evidence, record, {
        key: record.collection,
        id: record.id,
        source: SERVICE,
        time: record.at,
        lineage: { ...NO_LINEAGE, traceparent: traceparentFor(record.id) },
      }),
    ]);
    return reply.code(202).send({ id: record.id, at: record.at });
  });
}

const postMessage = (codec: Codec, post: PostEvent): OutgoingRecord =>
  message(codec, TOPICS.events, post, {
    key: post.id,
    id: post.id,
    source: post.source,
    time: post.createdAt,
    lineage: { traceparent: traceparentFor(post.id), replayId: null },
  });

function readJson(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.from(body as Uint8Array).toString('utf8'));
  } catch {
    return undefined;
  }
}
