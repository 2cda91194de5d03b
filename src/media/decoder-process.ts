/**
 * The process that touches untrusted hosts and bytes. It is started with an almost empty environment, is handed no
 * key and no broker address, and answers its parent over a pipe. It may die at any time.
 */
import { anyAddress, isPublicAddress } from './address.ts';
import { serveParent } from './child-protocol.ts';
import { decodePicture } from './decode.ts';
import { createFetcher, FETCH_LIMITS } from './fetch-guard.ts';
import { checkPicture, shutLoaders } from './image-check.ts';
import { openMediaStore } from './store.ts';

/** The process's only argument, as JSON. */
export interface ChildSettings {
  readonly fetchHosts: readonly string[];
  readonly fetchPrivate: boolean;
  /** Data folder whose quarantine is read, never written; null: no stored pictures. */
  readonly dataDir: string | null;
}

shutLoaders();
const { fetchHosts, fetchPrivate, dataDir } = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;
const fetcher = createFetcher({
  ...FETCH_LIMITS,
  hosts: fetchHosts,
  address: fetchPrivate ? anyAddress : isPublicAddress,
  ports: fetchPrivate ? null : [80, 443],
});
const quarantine = dataDir === null ? null : openMediaStore(dataDir).quarantine;
serveParent({
  fetch: (url, timeoutMs) => fetcher.fetch(url, timeoutMs),
  stored: async (key) => (await quarantine?.get(key)) ?? null,
  decode: async (bytes) => (await checkPicture(bytes)) ?? decodePicture(bytes),
  close: () => fetcher.close(),
});
