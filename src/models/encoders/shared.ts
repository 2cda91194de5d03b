/** Frozen encoders that several versions of a model use at once, opened for the first and closed after the last. */
import type { OpenEncoder } from './catalogued.ts';
import type { Encoder, Modality } from './contract.ts';

/** The same encoders, each opened once for all that have it open. */
export function shareEncoders(open: OpenEncoder): OpenEncoder {
  const shared = new Map<string, { users: number; readonly opening: Promise<Encoder> }>();
  return async <M extends Modality>(id: string, modality: M): Promise<Encoder<M>> => {
    const name = `${modality} ${id}`;
    const entry = shared.get(name) ?? { users: 0, opening: open(id, modality) as Promise<Encoder> };
    shared.set(name, entry);
    entry.users += 1;
    let isOpen = true;
    const leave = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      entry.users -= 1;
      if (entry.users > 0) return;
      if (shared.get(name) === entry) shared.delete(name);
      await entry.opening.then((encoder) => encoder.close());
    };
    try {
      return { ...((await entry.opening) as Encoder<M>), close: leave };
    } catch (thrown) {
      await leave().catch(() => {}); // it never opened
      throw thrown;
    }
  };
}
