/** Records → what the page is shown. */

import type { Lineage } from '../../bus/messages.ts';
import type { Alert, Claim, Label, LabelPicture } from '../../event/records.ts';
import { explainRefusal } from '../../media/refusal.ts';
import type { AlertView, ClaimView, PictureView, RevisionView } from '../wire.ts';

/** Path under which a preview is served. */
export const previewPath = (key: string): string => `/media/${key}`;

/** @param labelledAt when the bus took the record, ms. */
export function revisionView(label: Label, labelledAt: number, lineage: Lineage): RevisionView {
  return {
    postId: label.postId,
    revision: label.revision,
    collection: label.collection,
    source: label.source,
    createdAt: label.createdAt,
    receivedAt: label.receivedAt,
    labelledAt,
    text: label.text,
    language: label.language,
    tasks: label.tasks,
    modalities: label.modalities,
    pictures: label.pictures.map(pictureView),
    flags: label.flags,
    normaliser: label.normaliser,
    thresholds: label.thresholds,
    modelSequence: label.modelSequence,
    synthetic: label.synthetic,
    replayId: lineage.replayId,
    traceId: lineage.traceparent?.split('-')[1] ?? null,
  };
}

function pictureView(picture: LabelPicture): PictureView {
  return {
    id: picture.id,
    outcome: picture.outcome,
    reason: picture.reason,
    reasonText: picture.reason === null ? null : explainRefusal(picture.reason),
    preview: picture.storeKey === null ? null : previewPath(picture.storeKey),
    thumbhash: picture.thumbhash === null ? null : Buffer.from(picture.thumbhash).toString('base64'),
  };
}

export function claimView(claim: Claim): ClaimView {
  const { kind: _kind, membersDigest: _digest, storeKeys, ...rest } = claim;
  return { ...rest, previews: storeKeys.map(previewPath) };
}

export function alertView(alert: Alert): AlertView {
  const { kind: _kind, ...rest } = alert;
  return rest;
}
