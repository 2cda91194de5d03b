/** WebSocket /live: a snapshot, then what changes; a slow client is told less, never the others. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { ClientMessage, Pulse, PulseMessage } from '../wire.ts';
import type { Guard } from './guard.ts';
import type { Memory } from './memory.ts';
import { createUpdates, type Update, type UpdateLimits } from './updates.ts';

export interface LiveLimits extends UpdateLimits {
  readonly clients: number;
  /** Between two batches to one client. */
  readonly batchMs: number;
  /** Posts in one batch. */
  readonly batchPosts: number;
  /** Posts that a client may be given at once when it comes back. */
  readonly resumePosts: number;
  /** Unsent bytes from which a client gets nothing until it has caught up … */
  readonly softBytes: number;
  /** … and from which it is sent away. */
  readonly hardBytes: number;
  /** Longest time above `softBytes`. */
  readonly slowMs: number;
  /** A client that says nothing gets a snapshot after this time. */
  readonly helloMs: number;
  /** Longest silence between two heartbeats. */
  readonly heartbeatMs: number;
}

export const LIVE_LIMITS: LiveLimits = {
  clients: 200,
  batchMs: 100,
  batchPosts: 100,
  batchClaims: 200,
  resumePosts: 500,
  snapshotPosts: 200,
  snapshotClaims: 50,
  snapshotAlerts: 50,
  softBytes: 1_000_000,
  hardBytes: 4_000_000,
  slowMs: 10_000,
  helloMs: 300,
  heartbeatMs: 5_000,
};

const MAX_CLIENT_BYTES = 16_384;
/** A client has one thing to say; one that talks on is broken. */
const MAX_CLIENT_MESSAGES = 50;
const PING_MS = 20_000;
const CLOSE_GRACE_MS = 1_000;

export interface Live {
  /** Sends the heartbeat where the ledger moved or the last one is old. */
  beat(pulse: Pulse): void;
  clients(): number;
  close(): Promise<void>;
}

/** Why a page did not get a message, or not a connection. */
const DROP_REASONS = ['slow_client', 'conflated', 'bad_message', 'too_many_clients'] as const;
type DropReason = (typeof DROP_REASONS)[number];

interface Client {
  readonly socket: WebSocket;
  /** Sequence number of what it was sent last; null before the first snapshot or resumption. */
  sent: number | null;
  /** Since when it has had too much unsent; monotonic. */
  slowSince: number | null;
  beatAt: number;
  beatSaid: string;
  heard: number;
  isAlive: boolean;
}

const clientMessage: z.ZodType<ClientMessage> = z.strictObject({ since: z.string().max(200).nullable() });

/** @param instance names this memory: a cursor of another server is no cursor. */
export function openLive(deps: {
  readonly server: Server;
  readonly memory: Memory;
  readonly pulse: () => Pulse;
  readonly guard: Guard;
  readonly instance: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly limits: LiveLimits;
}): Live {
  const { server, memory, guard, clock, metrics, limits } = deps;
  const clients = new Set<Client>();
  const updates = createUpdates(memory, deps.instance, limits);
  const options: ServerOptions & { readonly maxFragments: number } = {
    noServer: true,
    maxPayload: MAX_CLIENT_BYTES,
    maxFragments: 16,
    perMessageDeflate: false,
    clientTracking: false,
  };
  const door = new WebSocketServer(options);
  const dropped = (reason: DropReason, by = 1): void =>
    metrics.count('tocsin_ws_dropped_total', { reason }, by);
  for (const reason of DROP_REASONS) dropped(reason, 0);
  metrics.set('tocsin_ws_clients', 0);

  const sendAway = (client: Client): void => {
    dropped('slow_client');
    clients.delete(client);
    metrics.set('tocsin_ws_clients', clients.size);
    client.socket.close(1013, 'Too slow: try again later.');
    // The close frame waits behind everything that was not read.
    setTimeout(() => client.socket.terminate(), CLOSE_GRACE_MS).unref();
  };

  /** Whether it was handed to the socket. */
  const send = (client: Client, payload: string): boolean => {
    if (client.socket.readyState !== WebSocket.OPEN) return false;
    if (client.socket.bufferedAmount + Buffer.byteLength(payload) > limits.hardBytes) {
      sendAway(client);
      return false;
    }
    client.socket.send(payload);
    return true;
  };

  const tell = (client: Client, update: Update | null): void => {
    if (!update || !send(client, update.payload)) return;
    client.sent = update.upto;
    if (update.skipped > 0) dropped('conflated', update.skipped);
  };

  const beatOne = (client: Client, pulse: Pulse): void => {
    client.beatAt = clock.monotonic();
    client.beatSaid = gist(pulse);
    if (client.socket.bufferedAmount <= limits.softBytes)
      send(client, JSON.stringify({ type: 'pulse', pulse } satisfies PulseMessage));
  };

  const greet = (client: Client, cursor: string | null): void => {
    const since = updates.resume(cursor);
    if (since === null) tell(client, updates.snapshot(deps.pulse()));
    else {
      client.sent = since;
      tell(client, updates.after(since, limits.resumePosts));
      beatOne(client, deps.pulse());
    }
  };

  /** Whether the client must be left alone for now because it has not read what it was sent. */
  const isSlow = (client: Client): boolean => {
    const unsent = client.socket.bufferedAmount;
    // Once over the mark it has to drain well below it, or it would swing about it.
    if (unsent <= (client.slowSince === null ? limits.softBytes : limits.softBytes / 4)) {
      client.slowSince = null;
      return false;
    }
    client.slowSince ??= clock.monotonic();
    if (unsent > limits.hardBytes || clock.monotonic() - client.slowSince > limits.slowMs) sendAway(client);
    return true;
  };

  const tick = (): void => {
    /** Most clients are equally far: their batch is made once. */
    const made = new Map<number, Update | null>();
    for (const client of clients) {
      if (client.sent === null || isSlow(client)) continue;
      if (!made.has(client.sent)) made.set(client.sent, updates.after(client.sent, limits.batchPosts));
      tell(client, made.get(client.sent) ?? null);
    }
  };

  const connect = (socket: WebSocket): void => {
    const client: Client = {
      socket,
      sent: null,
      slowSince: null,
      beatAt: 0,
      beatSaid: '',
      heard: 0,
      isAlive: true,
    };
    clients.add(client);
    metrics.set('tocsin_ws_clients', clients.size);
    const hello = setTimeout(() => greet(client, null), limits.helloMs);
    socket.on('message', (data: RawData, isBinary) => {
      clearTimeout(hello);
      client.heard += 1;
      const said = isBinary ? null : parse(String(data));
      if (said !== null && client.heard <= MAX_CLIENT_MESSAGES) greet(client, said.since);
      else {
        dropped('bad_message');
        socket.close(1008, 'Send nothing but {"since": cursor}.');
      }
    });
    socket.on('pong', () => {
      client.isAlive = true;
    });
    // An error is always followed by a close.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(hello);
      clients.delete(client);
      metrics.set('tocsin_ws_clients', clients.size);
    });
  };

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const objection = guard.objection(request.headers, 'upgrade');
    if ((request.url ?? '').split('?')[0] !== '/live')
      refuse(socket, '404 Not Found', 'WebSocket is at /live.');
    else if (objection) refuse(socket, '403 Forbidden', objection);
    else if (clients.size >= limits.clients) {
      dropped('too_many_clients');
      refuse(socket, '503 Service Unavailable', 'Too many dashboards are connected.');
    } else door.handleUpgrade(request, socket, head, connect);
  };
  server.on('upgrade', upgrade);

  const ticking = setInterval(tick, limits.batchMs);
  const pinging = setInterval(() => {
    for (const client of clients) {
      if (!client.isAlive) client.socket.terminate();
      client.isAlive = false;
      client.socket.ping();
    }
  }, PING_MS);

  return {
    beat(pulse) {
      const said = gist(pulse);
      for (const client of clients)
        if (
          client.sent !== null &&
          (client.beatSaid !== said || clock.monotonic() - client.beatAt >= limits.heartbeatMs)
        )
          beatOne(client, pulse);
    },
    clients: () => clients.size,
    async close() {
      clearInterval(ticking);
      clearInterval(pinging);
      server.off('upgrade', upgrade);
      const open = [...clients].map(({ socket }) => socket);
      for (const socket of open) socket.close(1012, 'The server restarts.');
      const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      const done = new AbortController();
      await Promise.race([Promise.all(closed), clock.sleep(CLOSE_GRACE_MS, done.signal)]);
      done.abort();
      for (const socket of open) socket.terminate();
      door.close();
    },
  };
}

/** What makes a heartbeat worth sending before its time. */
const gist = (pulse: Pulse): string => JSON.stringify([pulse.ledger, pulse.feed, pulse.problem]);

/** Answers an upgrade that is not to be: there is no response object, only the socket. */
function refuse(socket: Duplex, status: string, why: string): void {
  socket.on('error', () => {});
  const head = `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(why)}`;
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n${head}\r\n\r\n${why}`);
}

function parse(text: string): ClientMessage | null {
  try {
    return clientMessage.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
