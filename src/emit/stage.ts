/** Stage: a scored draft → its label and its evidence, ready to be sent. */
import type { Codec } from '../bus/codec.ts';
import type { OutgoingRecord } from '../bus/port.ts';
import type { Scored } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';
import { evidenceMessage, labelMessage } from './messages.ts';

/** @param normaliser version of the normaliser, as labels carry it */
export function createEmitStage(codec: Codec, normaliser: string): Stage<Scored, readonly OutgoingRecord[]> {
  return {
    name: 'emit',
    process: async (batch) =>
      batch.map((scored) =>
        passed([labelMessage(codec, normaliser, scored), evidenceMessage(codec, scored)]),
      ),
  };
}
