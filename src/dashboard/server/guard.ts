/** Who may talk to the dashboard while there is no login: this machine's own pages and programs. */
import type { IncomingHttpHeaders } from 'node:http';
import { TocsinError } from '../../base/errors.ts';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Throws BAD_CONFIG for an address beyond loopback: whoever reaches it could read everything and rule on claims. */
export function requireLoopback(host: string): void {
  if (LOOPBACK.has(host) || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return;
  throw new TocsinError(
    'BAD_CONFIG',
    `the dashboard has no login yet, so it binds to loopback only, not to ${host}; ` +
      'from elsewhere use a tunnel, e.g. ssh -L 8787:127.0.0.1:8787 <this machine>',
  );
}

export interface Guard {
  /** Why the request is refused, in one sentence; null when it may pass. `upgrade`: opens a WebSocket. */
  objection(headers: IncomingHttpHeaders, method: string): string | null;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @param host the address that the server binds to; it and the loopback names are good Host headers. */
export function createGuard(host: string): Guard {
  const names = new Set([...LOOPBACK, host, `[${host}]`]);
  return {
    objection(headers, method) {
      // A foreign name that resolves to this machine (DNS rebinding) shows in Host.
      const asked = headers.host ?? '';
      if (!names.has(asked.replace(/:\d{1,5}$/, '').toLowerCase()))
        return 'The Host header names another machine; open the dashboard by its loopback address.';
      if (SAFE.has(method)) return null;
      // Browsers always send Origin here; programs do not, and need no protection from themselves.
      const { origin } = headers;
      if (origin !== undefined && originHost(origin) !== asked.toLowerCase())
        return 'The request comes from a page of another site.';
      const site = headers['sec-fetch-site'];
      if (site !== undefined && site !== 'same-origin' && site !== 'none')
        return 'The request comes from a page of another site.';
      return null;
    },
  };
}

function originHost(origin: string): string | null {
  if (!URL.canParse(origin)) return null;
  const { protocol, host } = new URL(origin);
  return protocol === 'http:' || protocol === 'https:' ? host : null;
}
