/** A local image host with every bad habit, on a free port. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Route = (request: IncomingMessage, response: ServerResponse) => void;

export interface PictureServer {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Requests seen, `path → count`. */
  readonly seen: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Answers the path from `routes`, else 404. */
export async function startPictureServer(routes: Readonly<Record<string, Route>>): Promise<PictureServer> {
  const seen = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    seen.set(pathname, (seen.get(pathname) ?? 0) + 1);
    response.on('error', () => {});
    const route = routes[pathname];
    if (route) route(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const send =
  (bytes: Uint8Array, type = 'image/jpeg', headers: Readonly<Record<string, string>> = {}): Route =>
  (_, response) =>
    response.writeHead(200, { 'content-type': type, ...headers }).end(bytes);

export const redirect =
  (location: string, status = 302): Route =>
  (_, response) =>
    response.writeHead(status, { location }).end();

/** Headers at once, then a byte at a time, for ever. */
export const drip: Route = (_, response) => {
  response.writeHead(200, { 'content-type': 'image/jpeg' });
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
};

/** Never says anything. */
export const silence: Route = () => {};

/** Sends as fast as it can, without end and without a length. */
export const endless: Route = (_, response) => {
  response.writeHead(200, { 'content-type': 'image/jpeg' });
  const block = Buffer.alloc(65_536, 1);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
};

/** Promises more than it sends, then hangs up. */
export const cutShort =
  (bytes: Uint8Array): Route =>
  (_, response) => {
    response.writeHead(200, { 'content-length': String(bytes.length * 2) });
    response.write(bytes, () => response.destroy());
  };
