/** Records that the label worker writes, as messages: labels, evidence, media requests. */
import { simhash64 } from '../base/simhash.ts';
import type { Codec } from '../bus/codec.ts';
import { type Lineage, message } from '../bus/messages.ts';
import type { OutgoingRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { Evidence, Label, MediaRequest, PictureHash } from '../event/records.ts';
import type { Scored } from '../pipeline/post.ts';
import { styleOf } from './style.ts';

const SOURCE = 'label';

/** The label's revision. Its key is its post id. */
export function labelMessage(codec: Codec, normaliser: string, scored: Scored): OutgoingRecord {
  const { context, receivedAt, pictures, lineage } = scored.draft;
  const label: Label = {
    kind: 'Label',
    postId: context.labelId,
    revision: context.revision,
    collection: context.collection,
    source: context.source,
    createdAt: context.createdAt,
    receivedAt,
    text: context.text,
    language: context.language,
    authorHash: context.authorHash,
    tasks: scored.tasks,
    modalities: scored.modalities,
    pictures,
    flags: context.flags,
    normaliser,
    thresholds: scored.thresholds,
    modelSequence: scored.modelSequence,
    synthetic: context.synthetic,
  };
  return message(codec, TOPICS.labels, label, {
    key: context.labelId,
    id: `${context.labelId}/${context.revision}`,
    source: SOURCE,
    time: context.createdAt,
    lineage,
  });
}

/** The same revision as the claim worker needs it. Its key is the collection. */
export function evidenceMessage(codec: Codec, scored: Scored): OutgoingRecord {
  const { context, ready, lineage } = scored.draft;
  const hashes: PictureHash[] = [];
  const storeKeys: string[] = [];
  for (const item of ready) {
    if (item.perceptualHash !== null)
      hashes.push({ hash: item.perceptualHash, flipped: item.perceptualHashFlipped ?? item.perceptualHash });
    if (item.storeKey !== null) storeKeys.push(item.storeKey);
  }
  const evidence: Evidence = {
    kind: 'Evidence',
    postId: context.labelId,
    revision: context.revision,
    collection: context.collection,
    createdAt: context.createdAt,
    text: context.text,
    simhash: simhash64(context.text),
    perceptualHashes: hashes,
    storeKeys,
    authorHash: context.authorHash,
    style: styleOf(context.text, context.flags),
    informative: scored.tasks.find((task) => task.task === 'informative')?.probability ?? null,
  };
  return message(codec, TOPICS.evidence, evidence, {
    key: context.collection,
    id: `${context.labelId}/${context.revision}`,
    source: SOURCE,
    time: context.createdAt,
    lineage,
  });
}

/** Its key is the post id, so that the answer comes back to the partition that waits for it. */
export function requestMessage(codec: Codec, request: MediaRequest, lineage: Lineage): OutgoingRecord {
  return message(codec, TOPICS.media, request, {
    key: request.postId,
    id: request.mediaSetHash,
    source: SOURCE,
    time: request.context.createdAt,
    lineage,
  });
}
