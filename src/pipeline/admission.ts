/**
 * What each input of the label worker leads to: label revisions to be made and pictures to be asked for.
 * The revision table of the contracts is this file. One partition's memory; deterministic in the order of inputs.
 */
import { assertNever } from '../base/errors.ts';
import { type Lineage, traceparentFor } from '../bus/messages.ts';
import type {
  LabelPicture,
  Media,
  MediaContext,
  MediaEvent,
  MediaItem,
  MediaRequest,
} from '../event/records.ts';
import type { Dedup } from './dedup.ts';
import type { JoinMemory, WaitingPicture } from './join.ts';
import type { LedgerCounter } from './ledger.ts';
import { boundContext, mediaSetHash, signContext, verifyContext } from './media-context.ts';
import type { Pending, Waiting } from './pending.ts';
import type { Draft, Read, ReadAnswer, ReadPicture, ReadPost } from './post.ts';
import { dropped, failed, type Outcome, passed } from './stage.ts';

/** Length of an answer's picture: 64 × 64 RGB. */
const PIXEL_BYTES = 64 * 64 * 3;

/** Why a picture is refused here, by no media worker. */
export const REFUSED_UNANSWERED: string = 'unanswered';
export const REFUSED_BAD_ANSWER: string = 'bad_answer';
export const REFUSED_EXPIRED: string = 'expired';

/** A request to be sent, with the trace that it belongs to. */
export interface Asked {
  readonly request: MediaRequest;
  readonly lineage: Lineage;
}

/** What one input leads to. Nothing at all is possible: an answer that came too late. */
export interface Admission {
  readonly drafts: readonly Draft[];
  readonly requests: readonly Asked[];
}

const NOTHING: Admission = { drafts: [], requests: [] };

export interface AdmissionDeps {
  readonly dedup: Dedup;
  readonly join: JoinMemory;
  readonly pending: Pending;
  readonly counter: LedgerCounter;
  readonly key: Uint8Array;
  readonly environment: string;
  /** Told when the join memory is full and entries go before their time. */
  readonly onLetGoEarly: (entries: number) => void;
}

/** Takes inputs in their order. `now` (ms) only dates requests; nothing that is written follows from it. */
export interface Admitter {
  admit(input: Read, now: number): Outcome<Admission>;
  /** Closes requests that are overdue. */
  overdue(now: number): Admission;
}

export function createAdmitter(deps: AdmissionDeps): Admitter {
  const { dedup, join, pending, counter, key, environment } = deps;

  /** None where the same request is still waiting (a post that came again after the dedup window): one answer serves both. */
  const ask = (
    requestId: string,
    postId: string,
    media: readonly Media[],
    context: MediaContext,
    coming: { readonly receivedAt: number; readonly lineage: Lineage; readonly now: number },
  ): Asked[] => {
    const setHash = mediaSetHash(requestId, media);
    if (pending.has(setHash)) return [];
    const parts = {
      postId,
      mediaSetHash: setHash,
      media,
      context: boundContext(context),
    };
    const request: MediaRequest = {
      kind: 'MediaRequest',
      ...parts,
      mac: signContext(key, environment, parts),
    };
    counter.picturesRequested += media.length;
    pending.add({
      request,
      requestedAt: coming.now,
      receivedAt: coming.receivedAt,
      replayId: coming.lineage.replayId,
    });
    return [{ request, lineage: coming.lineage }];
  };

  const askApart = (picture: WaitingPicture, context: MediaContext, now: number): Asked[] =>
    ask(`picture ${picture.event.id}`, picture.event.postId, picture.event.media, context, {
      receivedAt: picture.receivedAt,
      lineage: { traceparent: picture.traceparent, replayId: picture.replayId },
      now,
    });

  /** Pictures that will see no post any more: labelled under their own id. */
  const letGo = (now: number): Asked[] => {
    if (join.size === 0) return [];
    const { orphans, early } = join.letGo();
    if (early > 0) deps.onLetGoEarly(early);
    return orphans.flatMap((picture) => {
      counter.orphan += 1;
      const { id, collection, source, createdAt } = picture.event;
      return askApart(
        picture,
        {
          labelId: id,
          revision: 1,
          text: '',
          language: 'und',
          collection,
          source,
          createdAt,
          authorHash: null,
          flags: ['empty_text', 'orphan'],
          synthetic: false,
        },
        now,
      );
    });
  };

  const admitPost = (post: ReadPost, now: number): Outcome<Admission> => {
    const { event, text, language, flags, lineage } = post;
    counter.received += 1;
    if (dedup.seen('post', event.id, event.collection, event.createdAt)) {
      counter.duplicate += 1;
      return dropped('duplicate');
    }
    counter.labelled += 1;
    const context: MediaContext = {
      labelId: event.id,
      revision: 1,
      text,
      language,
      collection: event.collection,
      source: event.source,
      createdAt: event.createdAt,
      authorHash: event.authorHash,
      flags,
      synthetic: event.synthetic,
    };
    const requests: Asked[] = [];
    let revision = 1;
    if (event.media.length > 0) {
      revision += 1;
      const coming = { receivedAt: event.receivedAt, lineage, now };
      requests.push(...ask(event.id, event.id, event.media, { ...context, revision }, coming));
    }
    if (event.picturesApart) {
      const next = boundContext({ ...context, revision: revision + 1 });
      for (const picture of join.rememberPost(event.id, next))
        requests.push(...askApart(picture, join.takeRevision(event.id) as MediaContext, now));
    }
    requests.push(...letGo(now));
    const pictures = event.media.map((item): LabelPicture => pictureOf(item.id, 'pending', null));
    const draft: Draft = { context, receivedAt: event.receivedAt, pictures, ready: [], lineage };
    return passed({ drafts: [draft], requests });
  };

  const admitPicture = (picture: ReadPicture, now: number): Outcome<Admission> => {
    const { event, receivedAt, lineage } = picture;
    if (dedup.seen('picture', event.id, event.collection, event.createdAt)) return dropped('duplicate');
    const waiting: WaitingPicture = { event, receivedAt, ...lineage };
    const context = join.takeRevision(event.postId);
    const requests: Asked[] = [];
    if (context) requests.push(...askApart(waiting, context, now));
    else if (!join.awaitPost(waiting)) {
      counter.deadOther += 1;
      return failed('bad_field', `too many pictures wait for post ${event.postId}`);
    }
    requests.push(...letGo(now));
    return passed({ drafts: [], requests });
  };

  const admitAnswer = ({ event, lineage }: ReadAnswer): Outcome<Admission> => {
    if (!verifyContext(key, environment, event)) {
      counter.deadOther += 1;
      return failed('bad_mac', `the answer for post ${event.postId} was asked for by nobody here`);
    }
    const waiting = pending.take(event.mediaSetHash);
    if (!waiting) {
      counter.late += 1;
      return passed(NOTHING);
    }
    return passed({ drafts: [settle(waiting, itemsOf(event, waiting), lineage)], requests: [] });
  };

  /** The revision that an answer, or the want of one, brings. */
  const settle = (waiting: Waiting, items: readonly MediaItem[], lineage: Lineage): Draft => {
    const ready = items.filter((item) => item.outcome === 'ready');
    counter.picturesReady += ready.length;
    counter.picturesRefused += items.length - ready.length;
    return {
      context: waiting.request.context,
      receivedAt: waiting.receivedAt,
      pictures: items.map((item) => ({
        id: item.id,
        outcome: item.outcome,
        reason: item.reason,
        storeKey: item.storeKey,
        thumbhash: item.thumbhash,
      })),
      ready,
      lineage,
    };
  };

  return {
    admit(input, now) {
      switch (input.kind) {
        case 'post':
          return admitPost(input, now);
        case 'picture':
          return admitPicture(input, now);
        case 'answer':
          return admitAnswer(input);
        default:
          return assertNever(input);
      }
    },
    overdue: (now) => ({
      requests: [],
      drafts: pending.takeOverdue(now).map((waiting) =>
        settle(
          waiting,
          waiting.request.media.map(({ id }) => refused(id, REFUSED_EXPIRED)),
          { traceparent: traceparentFor(waiting.request.postId), replayId: waiting.replayId },
        ),
      ),
    }),
  };
}

/** One item per picture asked for, in that order, whatever the answer holds. */
function itemsOf(event: MediaEvent, { request }: Waiting): MediaItem[] {
  const given = new Map(event.items.map((item) => [item.id, item]));
  return request.media.map(({ id }) => {
    const item = given.get(id);
    if (!item) return refused(id, REFUSED_UNANSWERED);
    if (item.outcome === 'refused') return refused(id, item.reason ?? REFUSED_BAD_ANSWER);
    return item.pixels64?.length === PIXEL_BYTES ? item : refused(id, REFUSED_BAD_ANSWER);
  });
}

function refused(id: string, reason: string): MediaItem {
  return {
    id,
    outcome: 'refused',
    reason,
    pixels64: null,
    perceptualHash: null,
    perceptualHashFlipped: null,
    thumbhash: null,
    storeKey: null,
  };
}

function pictureOf(id: string, outcome: LabelPicture['outcome'], reason: string | null): LabelPicture {
  return { id, outcome, reason, storeKey: null, thumbhash: null };
}
