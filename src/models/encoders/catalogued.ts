/** Encoders of the catalogue by id, for whoever has to open the ones that a manifest names. */
import type { Log } from '../../base/log.ts';
import { encoderDir, encoderRow } from './catalogue.ts';
import type { Encoder, Modality } from './contract.ts';
import { openEncoder } from './open.ts';

/** Throws BAD_USAGE for an unknown id or one of another modality, else what `openEncoder` throws. */
export type OpenEncoder = <M extends Modality>(id: string, modality: M) => Promise<Encoder<M>>;

/** @param threads of each encoder */
export const openCatalogued =
  (deps: { readonly cacheDir: string; readonly threads: number; readonly log: Log }): OpenEncoder =>
  (id, modality) => {
    const row = encoderRow(id);
    const { cacheDir, threads, log } = deps;
    return openEncoder(row, modality, { dir: encoderDir(row, cacheDir), threads, log });
  };
