/** Fetches a picture from an untrusted address without being led into a private network or held up. */
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, request } from 'undici';
import type { AddressRule } from './address.ts';
import { RefusalError, type Refused, refuse } from './refusal.ts';

export interface FetchRules {
  /** Host names that may be asked; `*` allows all, `*.example.org` every name below it. */
  readonly hosts: readonly string[];
  readonly address: AddressRule;
  /** Ports that may be asked, for http and https alike; null: all. */
  readonly ports: readonly number[] | null;
  readonly maxBytes: number;
  readonly maxRedirects: number;
}

export const FETCH_LIMITS: Pick<FetchRules, 'maxBytes' | 'maxRedirects'> = {
  maxBytes: 8_000_000,
  maxRedirects: 3,
};

/** All addresses of a name. */
export type Resolve = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export const systemResolve: Resolve = (host) => systemLookup(host, { all: true, verbatim: true });

export interface Fetcher {
  /** The bytes at the URL, or why not. @param timeoutMs for everything, redirects included. */
  fetch(url: string, timeoutMs: number): Promise<{ readonly bytes: Uint8Array } | Refused>;
  close(): Promise<void>;
}

const HEADERS = { 'user-agent': 'tocsin-media/1', accept: 'image/jpeg, image/png, image/webp' };
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Checks what an URL says of itself; the address behind its name is checked when it is connected to. */
export function checkUrl(url: URL, rules: Pick<FetchRules, 'hosts' | 'ports'>): Refused | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return refuse('unsupported_ref', url.protocol);
  if (url.username !== '' || url.password !== '') return refuse('url_userinfo');
  const port = url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
  if (rules.ports && !rules.ports.includes(port)) return refuse('url_port', String(port));
  const host = bareHost(url.hostname);
  const allowed = rules.hosts.some(
    (rule) =>
      rule === '*' || rule.toLowerCase() === host || (rule.startsWith('*.') && host.endsWith(rule.slice(1))),
  );
  return allowed ? null : refuse('host_not_allowed', host);
}

/** Without the brackets of an IPv6 literal and without the root's dot. */
function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

/** Makes a fetcher with its own connections. Names are resolved by `resolve`, and what it says is what is connected to. */
export function createFetcher(rules: FetchRules, resolve: Resolve = systemResolve): Fetcher {
  // The answers that are checked are the very ones that are connected to: no second look-up, so no rebinding.
  const lookup: LookupFunction = (host, options, callback) => {
    resolve(bareHost(host)).then(
      (answers) => {
        const bad = answers.find(({ address }) => !rules.address(address));
        const first = answers[0];
        if (bad) callback(new RefusalError('private_address', `${host} is ${bad.address}`), '');
        else if (!first) callback(new RefusalError('host_unknown', host), '');
        else if (options.all) callback(null, [...answers]);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(new RefusalError('host_unknown', error.message), ''),
    );
  };
  const connect = buildConnector({ lookup, timeout: 5_000 });
  const agent = new Agent({
    connect: (options, callback) => {
      // A literal address is never looked up, so it is looked at here.
      const host = bareHost(options.hostname);
      if (isIP(host) !== 0 && !rules.address(host)) {
        callback(new RefusalError('private_address', host), null);
        return;
      }
      connect(options, callback);
    },
    connections: 16,
    pipelining: 1,
    keepAliveTimeout: 2_000,
  });

  async function follow(start: string, signal: AbortSignal): Promise<Uint8Array> {
    let url = new URL(start);
    for (let hops = 0; ; hops += 1) {
      const refusal = checkUrl(url, rules);
      if (refusal) throw new RefusalError(refusal.refused, refusal.detail);
      url.hash = '';
      const response = await request(url, {
        dispatcher: agent,
        signal,
        headers: HEADERS,
        headersTimeout: 5_000,
        bodyTimeout: 5_000,
      });
      const { statusCode, headers, body } = response;
      try {
        if (REDIRECTS.has(statusCode)) {
          if (hops >= rules.maxRedirects) throw new RefusalError('too_many_redirects', url.href);
          const location = headers['location'];
          if (typeof location !== 'string' || !URL.canParse(location, url.href))
            throw new RefusalError('http_status', `${statusCode} without a location`);
          url = new URL(location, url);
          continue;
        }
        if (statusCode !== 200) throw new RefusalError('http_status', String(statusCode));
        if (Number(headers['content-length'] ?? 0) > rules.maxBytes)
          throw new RefusalError('too_large', `content-length ${headers['content-length']}`);
        return await readAtMost(body, rules.maxBytes);
      } finally {
        body.on('error', () => {}).destroy();
      }
    }
  }

  return {
    async fetch(url, timeoutMs) {
      if (!URL.canParse(url)) return refuse('unsupported_ref', url);
      const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
      try {
        return { bytes: await follow(url, signal) };
      } catch (error) {
        return signal.aborted ? refuse('fetch_timeout', url) : refusalOf(error);
      }
    },
    close: () => agent.destroy(),
  };
}

async function readAtMost(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new RefusalError('too_large', `more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);
/** Errors of a connection that had been made; before that the host counts as not reached. */
const BROKEN: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
  'ECONNRESET',
  'EPIPE',
]);

function refusalOf(thrown: unknown): Refused {
  // A connection that tries several addresses wraps what went wrong, sometimes twice.
  for (let error = thrown, depth = 0; error instanceof Error && depth < 4; error = error.cause, depth += 1) {
    if (error instanceof RefusalError) return error.refusal;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (TIMEOUTS.has(code)) return refuse('fetch_timeout', code);
    if (BROKEN.has(code) || error.name === 'HTTPParserError') return refuse('fetch_broken', error.message);
  }
  return refuse('host_unreachable', thrown instanceof Error ? thrown.message : String(thrown));
}
