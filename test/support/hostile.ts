/** Everything bad that can come in, and the image host that serves the worst of it. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { partitionOf } from '../../src/base/murmur2.ts';
import { createCodec } from '../../src/bus/codec.ts';
import type { MediaEvent, PostEvent } from '../../src/event/records.ts';
import { ROOT } from './tocsin.ts';

const codec = createCodec();
const EVENT_PARTITIONS = 6;

/** A record as any Kafka client may write it. */
export interface RawRecord {
  readonly key: string | null;
  readonly value: Uint8Array | null;
  /** Where it goes; by default where its key belongs. */
  readonly partition?: number;
}

export function post(id: string, text: string, refs: readonly string[] = []): PostEvent {
  return {
    kind: 'PostEvent',
    id,
    collection: 'hostile',
    source: 'test',
    text,
    createdAt: 1_700_000_000_000,
    receivedAt: 1_700_000_000_000,
    language: null,
    authorHash: null,
    place: null,
    media: refs.map((ref, i) => ({ id: String(i), ref })),
    picturesApart: false,
    synthetic: true,
  };
}

/** Broken records of crisis.events.v1 with the dead letter's reason that each must end as. */
export function brokenRecords(): {
  readonly name: string;
  readonly record: RawRecord;
  readonly reason: string;
}[] {
  const whole = codec.encode(post('broken-avro', 'cut in the middle'));
  const foreign = Uint8Array.from(whole);
  foreign.set([1, 2, 3, 4, 5, 6, 7, 8], 2);
  const elsewhere = codec.encode(post('wrong-partition', 'I am in the wrong place'));
  const forged: MediaEvent = {
    kind: 'MediaEvent',
    postId: 'forged',
    mediaSetHash: '0'.repeat(32),
    items: [],
    media: [],
    mac: 'f'.repeat(64),
    context: {
      labelId: 'forged',
      revision: 2,
      text: 'made up',
      language: 'en',
      collection: 'hostile',
      source: 'test',
      createdAt: 1_700_000_000_000,
      authorHash: null,
      flags: [],
      synthetic: true,
    },
  };
  return [
    {
      name: 'broken Avro',
      record: { key: 'broken-avro', value: whole.subarray(0, whole.length - 7) },
      reason: 'bad_avro',
    },
    {
      name: 'not Avro at all',
      record: { key: 'json', value: Buffer.from('{"id":"json"}') },
      reason: 'bad_avro',
    },
    { name: 'an unknown schema', record: { key: 'broken-avro', value: foreign }, reason: 'unknown_schema' },
    {
      name: 'a null key',
      record: { key: null, value: codec.encode(post('keyless', 'no key')), partition: 2 },
      reason: 'null_key',
    },
    { name: 'a null value', record: { key: 'tombstone', value: null }, reason: 'null_value' },
    {
      name: 'a foreign key',
      record: { key: 'somebody-else', value: codec.encode(post('not-my-key', 'hello')) },
      reason: 'key_mismatch',
    },
    {
      name: 'the wrong partition',
      record: {
        key: 'wrong-partition',
        value: elsewhere,
        partition: (partitionOf('wrong-partition', EVENT_PARTITIONS) + 1) % EVENT_PARTITIONS,
      },
      reason: 'wrong_partition',
    },
    { name: 'a wrong MAC', record: { key: 'forged', value: codec.encode(forged) }, reason: 'bad_mac' },
  ];
}

export interface ImageHost {
  readonly url: string;
  /** Requests that are being kept waiting. */
  stalled(): number;
  close(): void;
}

/** Serves good and bad pictures on loopback; `/stall` never answers. */
export async function startImageHost(pictures: Readonly<Record<string, Uint8Array>>): Promise<ImageHost> {
  let stalled = 0;
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').slice(1);
    if (path === 'stall') {
      stalled += 1;
      return;
    }
    const body = pictures[path];
    if (body) response.writeHead(200, { 'content-type': 'image/jpeg' }).end(body);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stalled: () => stalled,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export const fixturePicture = (name: string): Buffer =>
  readFileSync(join(ROOT, 'test/fixtures/pictures', name));
