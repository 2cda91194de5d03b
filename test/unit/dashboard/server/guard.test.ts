/** Who may talk to a dashboard without a login. */
import { describe, expect, it } from 'vitest';
import { createGuard, requireLoopback } from '../../../../src/dashboard/server/guard.ts';

const guard = createGuard('127.0.0.1');

describe('the address to bind to', () => {
  it.each(['127.0.0.1', 'localhost', '::1', '127.9.9.9'])('may be %s', (host) => {
    expect(() => requireLoopback(host)).not.toThrow();
  });
  it.each(['0.0.0.0', '::', '10.0.0.4', 'dash.example', '127.0.0.1.example', ''])('may not be %s', (host) => {
    expect(() => requireLoopback(host)).toThrow(/loopback/);
  });
});

describe('a request', () => {
  it.each(['localhost', 'localhost:8787', '127.0.0.1:1', '[::1]:8787', 'LOCALHOST:9'])(
    'to %s passes',
    (host) => {
      expect(guard.objection({ host }, 'GET')).toBeNull();
    },
  );
  it.each([
    'evil.example',
    'evil.example:8787',
    'localhost.evil.example',
    '127.0.0.1.evil.example:8787',
    '',
    '192.168.0.7',
  ])('to %j is refused: the name was bent to this machine', (host) => {
    expect(guard.objection({ host }, 'GET')).not.toBeNull();
    expect(guard.objection({ host }, 'upgrade')).not.toBeNull();
  });

  const host = '127.0.0.1:8787';
  it.each(['POST', 'PUT', 'DELETE', 'upgrade'])('%s of a page of another site is refused', (method) => {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://127.0.0.1:9999',
      'file://',
      'http://localhost:8787',
    ])
      expect(guard.objection({ host, origin }, method), origin).not.toBeNull();
    expect(guard.objection({ host, 'sec-fetch-site': 'cross-site' }, method)).not.toBeNull();
    expect(guard.objection({ host, 'sec-fetch-site': 'same-site' }, method)).not.toBeNull();
  });
  it.each(['POST', 'upgrade'])('%s of its own page or of a program passes', (method) => {
    expect(
      guard.objection({ host, origin: 'http://127.0.0.1:8787', 'sec-fetch-site': 'same-origin' }, method),
    ).toBeNull();
    expect(guard.objection({ host }, method)).toBeNull();
  });
});
