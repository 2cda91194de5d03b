import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyAddress, isPublicAddress } from '../../../src/media/address.ts';
import {
  checkUrl,
  createFetcher,
  FETCH_LIMITS,
  type Fetcher,
  type FetchRules,
  type Resolve,
} from '../../../src/media/fetch-guard.ts';
import {
  cutShort,
  drip,
  endless,
  type PictureServer,
  redirect,
  send,
  silence,
  startPictureServer,
} from '../../support/picture-server.ts';

const OPEN: FetchRules = { ...FETCH_LIMITS, hosts: ['*'], address: anyAddress, ports: null };
const PUBLIC: FetchRules = { ...OPEN, address: isPublicAddress };
const bytes = new TextEncoder().encode('some bytes');

/** One that answers what it is told, in turn; the last answer stays. */
function scriptedResolve(...answers: readonly string[][]): Resolve & { asked: number } {
  const resolve = Object.assign(
    async () => {
      const list = answers[Math.min(resolve.asked, answers.length - 1)] as string[];
      resolve.asked += 1;
      return list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
    { asked: 0 },
  );
  return resolve;
}

async function withFetcher<T>(
  rules: FetchRules,
  resolve: Resolve,
  use: (f: Fetcher) => Promise<T>,
): Promise<T> {
  const fetcher = createFetcher(rules, resolve);
  try {
    return await use(fetcher);
  } finally {
    await fetcher.close();
  }
}

describe('fetcher', () => {
  let server: PictureServer;
  const loopback = scriptedResolve(['127.0.0.1']);
  const refusedBy = (
    rules: FetchRules,
    url: string,
    resolve: Resolve = loopback,
    ms = 5_000,
  ): Promise<string> =>
    withFetcher(rules, resolve, async (fetcher) => {
      const answer = await fetcher.fetch(url, ms);
      return 'refused' in answer ? answer.refused : 'fetched';
    });

  beforeAll(async () => {
    server = await startPictureServer({
      '/picture': send(bytes),
      '/cookie': (request, response) =>
        response
          .writeHead(302, {
            'set-cookie': 'session=1',
            location: `/echo?${request.headers.cookie ?? 'none'}`,
          })
          .end(),
      '/echo': (request, response) => response.end(JSON.stringify(request.headers)),
      '/big': send(new Uint8Array(9_000_000)),
      '/endless': endless,
      '/drip': drip,
      '/silence': silence,
      '/cut': cutShort(bytes),
      '/overlong': (_, response) => {
        response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsome bytes more than promised');
      },
      '/nonsense': (_, response) => {
        response.socket?.end('no http at all\r\n\r\n');
      },
      '/missing-location': (_, response) => response.writeHead(302).end(),
      '/empty-204': (_, response) => response.writeHead(204).end(),
      '/1': redirect('/2', 301),
      '/2': redirect('/3', 307),
      '/3': redirect('/picture', 308),
      '/0': redirect('/1'),
      '/to-loopback6': redirect('http://[::1]/x'),
      '/to-metadata': redirect('http://169.254.169.254/latest/meta-data/'),
      '/to-decimal': redirect('http://2130706433/'),
      '/to-file': redirect('file:///etc/passwd'),
      '/to-user': redirect('http://user:secret@example.org/'),
      '/to-other-host': redirect('http://elsewhere.example/'),
    });
  });
  afterAll(() => server.close());
  const at = (path: string): string => `${server.origin}${path}`;

  it('fetches, and follows three redirects but not four', async () => {
    await withFetcher(OPEN, loopback, async (fetcher) => {
      expect(await fetcher.fetch(at('/picture'), 5_000)).toEqual({ bytes: Buffer.from(bytes) });
      expect(await fetcher.fetch(at('/1'), 5_000)).toEqual({ bytes: Buffer.from(bytes) });
    });
    expect(await refusedBy(OPEN, at('/0'))).toBe('too_many_redirects');
  });

  it('sends no cookies and nothing of the address after #', async () => {
    await withFetcher(OPEN, loopback, async (fetcher) => {
      const answer = await fetcher.fetch(at('/cookie#secret'), 5_000);
      const headers = JSON.parse(Buffer.from('bytes' in answer ? answer.bytes : []).toString()) as object;
      expect(Object.keys(headers).sort()).toEqual(['accept', 'connection', 'host', 'user-agent']);
    });
  });

  it.each([
    ['/big', 'too_large'],
    ['/endless', 'too_large'],
    ['/cut', 'fetch_broken'],
    ['/nonsense', 'fetch_broken'],
    ['/nowhere', 'http_status'],
    ['/empty-204', 'http_status'],
    ['/missing-location', 'http_status'],
    ['/to-file', 'unsupported_ref'],
    ['/to-user', 'url_userinfo'],
  ])('answers %s with %s', async (path, code) => {
    expect(await refusedBy(OPEN, at(path))).toBe(code);
  });

  it('never takes more than the promised length', async () => {
    await withFetcher(OPEN, loopback, async (fetcher) => {
      const answer = await fetcher.fetch(at('/overlong'), 5_000);
      if ('bytes' in answer) expect(answer.bytes.length).toBe(4);
      else expect(answer.refused).toBe('fetch_broken');
    });
  });

  it.each(['/drip', '/silence'])('gives up on %s when its time is over', async (path) => {
    expect(await refusedBy(OPEN, at(path), loopback, 250.5)).toBe('fetch_timeout');
  });

  it('counts redirects into the same time', async () => {
    const slow = await startPictureServer({
      '/a': (_, response) => {
        setTimeout(() => response.writeHead(302, { location: '/a' }).end(), 150);
      },
    });
    try {
      expect(await refusedBy(OPEN, `${slow.origin}/a`, loopback, 250)).toBe('fetch_timeout');
    } finally {
      await slow.close();
    }
  });

  it('tells a closed port from a name without addresses', async () => {
    const gone = await startPictureServer({});
    await gone.close();
    expect(await refusedBy(OPEN, `${gone.origin}/`)).toBe('host_unreachable');
    expect(await refusedBy(OPEN, 'http://nowhere.example/', scriptedResolve([]))).toBe('host_unknown');
    const failing: Resolve = () => Promise.reject(new Error('ENOTFOUND'));
    expect(await refusedBy(OPEN, 'http://nowhere.example/', failing)).toBe('host_unknown');
  });

  describe('private networks', () => {
    /** Spellings of addresses that are not public. */
    const LITERALS = [
      'http://127.0.0.1/',
      'http://127.1/',
      'http://2130706433/',
      'http://0x7f000001/',
      'http://0x7f.0.0.1/',
      'http://0177.0.0.1/',
      'http://017700000001/',
      'http://127.0.0.1./',
      'http://%31%32%37.0.0.1/',
      'http://１２７.0.0.1/',
      'http://127。0。0。1/',
      'http://0/',
      'http://0.0.0.0/',
      'http://10.0.0.1/',
      'http://192.168.0.1/',
      'http://169.254.169.254/latest/meta-data/',
      'http://2852039166/',
      'http://0xa9fea9fe/',
      'http://100.100.100.200/',
      'http://168.63.129.16/',
      'http://[::]/',
      'http://[::1]/',
      'http://[0:0:0:0:0:0:0:1]/',
      'http://[::ffff:127.0.0.1]/',
      'http://[::ffff:7f00:1]/',
      'http://[::127.0.0.1]/',
      'http://[64:ff9b::7f00:1]/',
      'http://[2002:7f00:1::]/',
      'http://[fd00:ec2::254]/',
      'http://[fe80::1]/',
      'https://127.0.0.1/',
      'https://[::1]/',
    ];
    it.each(LITERALS)('refuses %s at connect time', async (url) => {
      const never: Resolve = async (host) => Promise.reject(new Error(`looked up ${host}`));
      expect(await refusedBy(PUBLIC, url, never)).toBe('private_address');
    });

    it.each([
      ['one private answer', [['10.0.0.5']]],
      ['a private answer among public ones', [['93.184.215.14', '127.0.0.1']]],
      ['a mapped answer', [['::ffff:127.0.0.1']]],
    ])('refuses a name with %s', async (_, answers) => {
      expect(await refusedBy(PUBLIC, 'http://rebind.example/', scriptedResolve(...answers))).toBe(
        'private_address',
      );
    });

    it('connects only to answers that it has looked at (rebinding)', async () => {
      // Allowed is only the first answer; whatever a second look-up says is looked at as well.
      const resolve = scriptedResolve(['127.0.0.1'], ['127.0.0.2']);
      const rules: FetchRules = { ...OPEN, address: (address) => address === '127.0.0.1' };
      await withFetcher(rules, resolve, async (fetcher) => {
        const url = `http://rebind.example:${server.port}`;
        expect(await fetcher.fetch(`${url}/picture`, 5_000)).toHaveProperty('bytes');
        expect(resolve.asked).toBe(1);
      });
      expect(await refusedBy(rules, `http://rebind.example:${server.port}/picture`, resolve)).toBe(
        'private_address',
      );
    });

    it.each(['/to-loopback6', '/to-metadata'])('refuses the redirect %s', async (path) => {
      const rules: FetchRules = { ...OPEN, address: (address) => address === '127.0.0.1' };
      expect(await refusedBy(rules, at(path))).toBe('private_address');
    });

    it('refuses a redirect to another spelling of a private address', async () => {
      let first = true;
      const rules: FetchRules = {
        ...OPEN,
        address: (address) => {
          const allowed = first && address === '127.0.0.1';
          first = false;
          return allowed;
        },
      };
      expect(await refusedBy(rules, at('/to-decimal'))).toBe('private_address');
    });

    it('refuses a redirect to a host that is not on the list', async () => {
      expect(await refusedBy({ ...OPEN, hosts: ['127.0.0.1'] }, at('/to-other-host'))).toBe(
        'host_not_allowed',
      );
    });
  });
});

describe('checkUrl', () => {
  const rules = { hosts: ['*'], ports: [80, 443] };
  const check = (url: string, given = rules): string | null => checkUrl(new URL(url), given)?.refused ?? null;

  it.each([
    ['file:///etc/passwd', 'unsupported_ref'],
    ['gopher://example.org/', 'unsupported_ref'],
    ['ftp://example.org/', 'unsupported_ref'],
    ['data:image/png;base64,AAAA', 'unsupported_ref'],
    ['http://user@example.org/', 'url_userinfo'],
    ['http://:secret@example.org/', 'url_userinfo'],
    ['http://example.org:22/', 'url_port'],
    ['https://example.org:8443/', 'url_port'],
    ['http://example.org:9092/', 'url_port'],
    ['http://example.org/', null],
    ['https://example.org/', null],
    ['https://example.org:80/', null],
  ])('says of %s: %s', (url, code) => {
    expect(check(url)).toBe(code);
  });

  it.each([
    ['example.org', 'http://example.org/', null],
    ['example.org', 'http://EXAMPLE.org./', null],
    ['example.org', 'http://www.example.org/', 'host_not_allowed'],
    ['*.example.org', 'http://www.example.org/', null],
    ['*.example.org', 'http://example.org/', 'host_not_allowed'],
    ['*.example.org', 'http://evil-example.org/', 'host_not_allowed'],
    ['example.org', 'http://example.org.evil.test/', 'host_not_allowed'],
  ])('with the list %s says of %s: %s', (host, url, code) => {
    expect(check(url, { ...rules, hosts: [host] })).toBe(code);
  });
});
