/** What the gate signs with, as its parts see it. The key itself stays in signing.ts. */
import type { DesiredState } from '../event/records.ts';

export interface Signer {
  readonly keyId: string;
  /** Fills in key id and signature; gives the bytes that go on the topic. */
  state(state: Omit<DesiredState, 'kind' | 'keyId' | 'signature'>): Uint8Array;
  /** The contents of signature.json for a version with this digest. */
  model(digest: string): string;
}
