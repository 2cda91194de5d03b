/** /metrics, /livez and /readyz of a worker. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface Health {
  /** Null when well, else one sentence on what is wrong. */
  readonly live: () => string | null;
  readonly ready: () => string | null;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** @param port 0 picks a free one. Binds to loopback unless told otherwise. */
export async function serveHealth(
  options: { readonly port: number; readonly host?: string },
  health: Health,
  metrics: Metrics,
): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    const check = (problem: string | null): void =>
      answer(problem === null ? 200 : 503, 'text/plain; charset=utf-8', `${problem ?? 'ok'}\n`);
    switch (new URL(request.url ?? '/', 'http://localhost').pathname) {
      case '/metrics': {
        const { contentType, body } = await metrics.expose();
        return answer(200, contentType, body);
      }
      case '/livez':
        return check(health.live());
      case '/readyz':
        return check(health.ready());
      default:
        return answer(404, 'text/plain; charset=utf-8', 'Not found.\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host ?? '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
