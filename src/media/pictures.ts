/** Settles references to pictures: has each one fetched and decoded at most once, keeps its preview, remembers the rest. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import type { MediaItem } from '../event/records.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PictureSource } from './child-protocol.ts';
import type { Decoder } from './decoder.ts';
import { PASSING, type RefusalCode } from './refusal.ts';
import { isStoreKey, type MediaArea, storeKey } from './store.ts';

/** What became of a picture, whatever it is called in the post. */
export type SettledPicture = Omit<MediaItem, 'id'>;

export interface CacheLimits {
  /** Pictures remembered by content; about 13 KB each. */
  readonly contents: number;
  readonly addresses: number;
  /** How long an address is believed to lead to the same picture. */
  readonly addressMs: number;
  /** How long a refusal that may pass is repeated without asking again. */
  readonly passingMs: number;
}

export const CACHE_LIMITS: CacheLimits = {
  contents: 6_000,
  addresses: 50_000,
  addressMs: 1_800_000,
  passingMs: 30_000,
};

export interface Pictures {
  /** Never throws for a bad picture; throws when store or child process cannot be used at all. */
  settle(ref: string): Promise<SettledPicture>;
  close(): Promise<void>;
}

export interface PictureDeps {
  readonly previews: MediaArea;
  readonly decoder: Decoder;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly limits?: Partial<CacheLimits>;
}

/** A refused picture, as a MediaItem says it. */
export function refusedPicture(reason: RefusalCode): SettledPicture {
  return {
    outcome: 'refused',
    reason,
    pixels64: null,
    perceptualHash: null,
    perceptualHashFlipped: null,
    thumbhash: null,
    storeKey: null,
  };
}

/** Where the bytes of an address are known to be: what they are called by content, or why there are none. */
type Found = { readonly sha256: string } | { readonly refused: RefusalCode };

const STORE = 'store:';

export function createPictures(deps: PictureDeps): Pictures {
  const { previews, decoder, clock, metrics } = deps;
  const limits = { ...CACHE_LIMITS, ...deps.limits };
  const perf = { now: () => clock.monotonic() };
  const contents = new LRUCache<string, SettledPicture>({ max: limits.contents });
  const addresses = new LRUCache<string, Found>({
    max: limits.addresses,
    ttl: limits.addressMs,
    ttlResolution: 0,
    perf,
  });
  /** Under way now, by content and by address: whoever asks for the same waits for the same. */
  const decodes = new Map<string, Promise<SettledPicture>>();
  const fetches = new Map<string, Promise<SettledPicture>>();

  const counted = (result: string, picture: SettledPicture): SettledPicture => {
    metrics.count('tocsin_image_fetch_total', { result: picture.reason ?? result });
    return picture;
  };

  function once(
    flights: Map<string, Promise<SettledPicture>>,
    key: string,
    start: () => Promise<SettledPicture>,
  ): Promise<SettledPicture> {
    const running = flights.get(key);
    if (running !== undefined) return running.then((picture) => counted('shared', picture));
    const flight = start().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

  async function decode(sha256: string, source: PictureSource): Promise<SettledPicture> {
    const decoded = await decoder.decode(source);
    const picture: SettledPicture =
      'refused' in decoded
        ? refusedPicture(decoded.refused)
        : {
            outcome: 'ready',
            reason: null,
            pixels64: decoded.pixels64,
            perceptualHash: decoded.perceptualHash,
            perceptualHashFlipped: decoded.perceptualHashFlipped,
            thumbhash: decoded.thumbhash,
            storeKey: await previews.put(decoded.preview),
          };
    if (!('refused' in decoded && PASSING.has(decoded.refused))) contents.set(sha256, picture);
    return picture;
  }

  /** By content: from memory, from a flight that is under way, else by decoding. */
  async function byContent(sha256: string, from: string, source: PictureSource): Promise<SettledPicture> {
    const known = contents.get(sha256);
    if (known) return counted('content_cache', known);
    return once(decodes, sha256, async () => counted(from, await decode(sha256, source)));
  }

  async function fromAddress(url: string): Promise<SettledPicture> {
    const picture = await decoder.fetch(url, (bytes) => {
      const sha256 = storeKey(bytes);
      addresses.set(url, { sha256 });
      return byContent(sha256, 'fetched', { bytes });
    });
    if (!('refused' in picture)) return picture;
    const ttl = PASSING.has(picture.refused) ? limits.passingMs : limits.addressMs;
    addresses.set(url, { refused: picture.refused }, { ttl });
    return counted('fetched', refusedPicture(picture.refused));
  }

  return {
    async settle(ref) {
      if (ref.startsWith(STORE)) {
        const key = ref.slice(STORE.length);
        if (!isStoreKey(key)) return counted('', refusedPicture('unsupported_ref'));
        return byContent(key, 'store', { stored: key });
      }
      if (!/^https?:\/\//i.test(ref) || !URL.canParse(ref))
        return counted('', refusedPicture('unsupported_ref'));
      const url = new URL(ref);
      // What stands after # never reaches the host.
      url.hash = '';
      const found = addresses.get(url.href);
      if (found && 'refused' in found) return counted('', refusedPicture(found.refused));
      const known = found && contents.get(found.sha256);
      if (known) return counted('address_cache', known);
      return once(fetches, url.href, () => fromAddress(url.href));
    },
    close: () => decoder.close(),
  };
}
