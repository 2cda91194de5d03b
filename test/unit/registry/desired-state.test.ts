/** A worker believes a desired state only when the gate signed it, for this environment, and it is newer than what it saw. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TocsinError } from '../../../src/base/errors.ts';
import { message, NO_LINEAGE } from '../../../src/bus/messages.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import { type DesiredReaderDeps, readDesired, verifyState } from '../../../src/registry/desired-state.ts';
import { keyPaths } from '../../../src/registry/layout.ts';
import { openSigner } from '../../../src/registry/signing.ts';
import { createMemoryBus } from '../../support/memory-bus.ts';
import { stateOf, type TestRegistry, temporaryRegistry } from '../../support/registry.ts';

const CHAMPION = { name: 'mmn', version: 'v1', digest: 'a'.repeat(64) };
const CONTEXT = { environment: 'lab', seenSequence: 0, now: 1_500, firstActivation: true };

const verify = (registry: TestRegistry, bytes: Uint8Array, context = CONTEXT) =>
  verifyState(registry.codec, bytes, registry.keys, context);

describe('verifyState', () => {
  it('takes what the gate signed', () => {
    const registry = temporaryRegistry();
    const state = verify(registry, registry.signer.state(stateOf(1, CHAMPION)));
    expect(state).toMatchObject({ ...stateOf(1, CHAMPION), keyId: registry.signer.keyId });
  });

  it('refuses every single flipped bit', () => {
    const registry = temporaryRegistry();
    const good = registry.signer.state(stateOf(1, CHAMPION));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(7), (at, bit) => {
        const bytes = Uint8Array.from(good);
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        expect(() => verify(registry, bytes)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^STATE_(MALFORMED|UNKNOWN_KEY|FORGED)$/) }),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('refuses content under another signature, and the signature of another key under a trusted id', () => {
    const registry = temporaryRegistry();
    const one = registry.signer.state(stateOf(1, CHAMPION));
    const two = registry.signer.state(stateOf(2, CHAMPION));
    one.set(two.subarray(-64), one.length - 64);
    expect(() => verify(registry, one)).toThrow(expect.objectContaining({ code: 'STATE_FORGED' }));

    const stranger = temporaryRegistry();
    const forged = stranger.signer.state(stateOf(1, CHAMPION));
    expect(() => verify(registry, forged)).toThrow(expect.objectContaining({ code: 'STATE_UNKNOWN_KEY' }));
    const { codec } = registry;
    const decoded = codec.decode(forged) as { readonly kind: 'DesiredState' } & ReturnType<typeof verify>;
    const renamed = codec.encode({ ...decoded, keyId: registry.signer.keyId });
    expect(() => verify(registry, renamed)).toThrow(expect.objectContaining({ code: 'STATE_FORGED' }));
  });

  it.each([
    ['STATE_REPLAYED', { seenSequence: 3 }],
    ['STATE_REPLAYED', { seenSequence: 4 }],
    ['STATE_EXPIRED', { now: 2_001 }],
    ['STATE_FOREIGN', { environment: 'live' }],
  ])('refuses with %s under %j', (code, change) => {
    const registry = temporaryRegistry();
    const bytes = registry.signer.state(stateOf(3, CHAMPION));
    expect(() => verify(registry, bytes, { ...CONTEXT, ...change })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('refuses what is no state at all', () => {
    const registry = temporaryRegistry();
    const { codec } = registry;
    const audit = codec.encode({
      kind: 'AuditEntry',
      at: 0,
      who: '',
      what: '',
      why: '',
      before: null,
      after: null,
      previousHash: '',
    });
    const unsigned = codec.encode({
      ...stateOf(1, CHAMPION),
      kind: 'DesiredState',
      keyId: registry.signer.keyId,
      signature: new Uint8Array(),
    });
    for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), audit, unsigned])
      expect(() => verify(registry, bytes)).toThrow(expect.objectContaining({ code: 'STATE_MALFORMED' }));
  });

  it('lets a worker that starts late accept its own champion', () => {
    const registry = temporaryRegistry();
    const bytes = registry.signer.state(stateOf(1, CHAMPION));
    expect(verify(registry, bytes, { ...CONTEXT, now: 9_999_999, firstActivation: false })).toMatchObject({
      sequence: 1,
    });
  });
});

describe('the keys', () => {
  it('are made once, the private one for its owner alone', () => {
    const { dataDir, signer, codec } = temporaryRegistry();
    expect(openSigner(codec, dataDir).keyId).toBe(signer.keyId);
    const { signing } = keyPaths(dataDir);
    expect(statSync(signing).mode & 0o777).toBe(0o600);
    expect(statSync(join(signing, '..')).mode & 0o777).toBe(0o700);
  });
});

describe('readDesired', () => {
  const open = (
    registry: TestRegistry,
    environment = 'lab',
  ): DesiredReaderDeps & {
    readonly bus: ReturnType<typeof createMemoryBus>;
    readonly codes: string[];
    readonly send: (bytes: Uint8Array) => Promise<void>;
  } => {
    const bus = createMemoryBus();
    const codes: string[] = [];
    const { codec, keys } = registry;
    return {
      bus,
      codec,
      keys,
      environment,
      now: () => 1_500,
      refused: (error: TocsinError) => codes.push(error.code),
      codes,
      async send(value) {
        const record = codec.decode(registry.signer.state(stateOf(1, CHAMPION)));
        const options = { key: 'models', id: '1', source: 'test', time: 0, lineage: NO_LINEAGE };
        await bus.produce([{ ...message(codec, TOPICS.models, record, options), value }]);
      },
    };
  };

  it('finds the newest valid state, passes over forged, replayed and foreign ones, and goes on with those that arrive', async () => {
    const registry = temporaryRegistry();
    const deps = open(registry);
    const { state } = registry.signer;
    expect((await readDesired(deps)).newest).toBeNull();
    await deps.send(state(stateOf(1, CHAMPION)));
    await deps.send(state(stateOf(2, CHAMPION)));
    await deps.send(state(stateOf(1, CHAMPION)));
    await deps.send(state(stateOf(9, CHAMPION, { environment: 'elsewhere' })));
    await deps.send(temporaryRegistry().signer.state(stateOf(8, CHAMPION)));
    const desired = await readDesired(deps);
    expect(desired.newest?.sequence).toBe(2);
    expect(desired.history.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(deps.codes).toEqual(['STATE_REPLAYED', 'STATE_FOREIGN', 'STATE_UNKNOWN_KEY']);

    // What arrives between the two reads is not lost, and what was read is not read again.
    await deps.send(state(stateOf(3, CHAMPION)));
    const stop = new AbortController();
    const arrived: number[] = [];
    for await (const {
      state: { sequence },
    } of desired.follow(stop.signal)) {
      arrived.push(sequence);
      if (sequence === 3) {
        await deps.send(state(stateOf(2, CHAMPION)));
        await deps.send(state(stateOf(4, CHAMPION, { notAfter: 1_499 })));
        await deps.send(state(stateOf(5, CHAMPION)));
      } else stop.abort();
    }
    expect(arrived).toEqual([3, 5]);
    expect(deps.codes.slice(3)).toEqual(['STATE_REPLAYED', 'STATE_EXPIRED']);
  });

  it('learns of a key that is made while it waits', async () => {
    const registry = temporaryRegistry();
    const deps = open(registry);
    const desired = await readDesired(deps);
    await deps.send(registry.signer.state(stateOf(1, CHAMPION)));
    const stop = new AbortController();
    for await (const {
      state: { sequence },
    } of desired.follow(stop.signal)) {
      expect(sequence).toBe(1);
      stop.abort();
    }
  });
});
