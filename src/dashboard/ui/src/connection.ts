/** The WebSocket to /live: opens it, goes on from the cursor, comes back by itself. */
import type { ClientMessage, ServerMessage } from '../../wire.ts';

export interface ConnectionEvents {
  /** `lost` once the server could not be reached or hung up. */
  onChange(connection: 'connecting' | 'open' | 'lost'): void;
  onMessage(message: ServerMessage): void;
  /** Where to go on from; null for a fresh snapshot. */
  cursor(): string | null;
}

export interface Connection {
  /** Tries now rather than when the back-off is over. */
  retry(): void;
  close(): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** Three heartbeats. */
const SILENCE_MS = 15_000;

/** @param random in [0, 1), so that many pages do not come back at the same moment. */
export function connect(url: string, events: ConnectionEvents, random: () => number): Connection {
  let socket: WebSocket | null = null;
  let retryMs = FIRST_RETRY_MS;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let silenceTimer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  const listen = (): void => {
    clearTimeout(silenceTimer);
    silenceTimer = setTimeout(() => drop(), SILENCE_MS);
  };

  const drop = (): void => {
    const old = socket;
    socket = null;
    clearTimeout(silenceTimer);
    if (!old || isClosed) return;
    old.onopen = old.onmessage = old.onclose = null;
    old.close();
    events.onChange('lost');
    clearTimeout(retryTimer);
    retryTimer = setTimeout(open, retryMs * (0.5 + random() / 2));
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  };

  const open = (): void => {
    clearTimeout(retryTimer);
    const fresh = new WebSocket(url);
    socket = fresh;
    fresh.onopen = () => {
      fresh.send(JSON.stringify({ since: events.cursor() } satisfies ClientMessage));
      events.onChange('open');
      listen();
    };
    fresh.onmessage = ({ data }) => {
      retryMs = FIRST_RETRY_MS;
      listen();
      events.onMessage(JSON.parse(String(data)) as ServerMessage);
    };
    fresh.onclose = () => drop();
    listen();
  };

  events.onChange('connecting');
  open();
  return {
    retry() {
      if (socket === null && !isClosed) open();
    },
    close() {
      isClosed = true;
      clearTimeout(retryTimer);
      clearTimeout(silenceTimer);
      socket?.close();
    },
  };
}
