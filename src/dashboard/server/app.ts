/** The HTTP side of the dashboard: limits, headers, checks and errors, and the page's files. */
import { existsSync } from 'node:fs';
import helmet from '@fastify/helmet';
import serveStatic from '@fastify/static';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Guard } from './guard.ts';
import { problem } from './problem.ts';

/** What a page of ours may do. Nothing inline; lit's templates are the one Trusted Types policy. */
const CONTENT_SECURITY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ['lit-html'],
};

const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;

/** @param uiDir the built page. */
export async function createApp(deps: {
  readonly guard: Guard;
  readonly log: Log;
  readonly uiDir: string;
}): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: 4_096,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
    // A post id has at most 256 characters, three escaped bytes and more each.
    routerOptions: { maxParamLength: 4_096 },
    http: { maxHeaderSize: 16_384, headersTimeout: HEADERS_MS },
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const objection = deps.guard.objection(request.headers, request.method);
    if (objection) return reply.code(403).send(problem('refused', objection));
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      return reply.code(415).send(problem('encoded_body', 'Send the body without content-encoding.'));
  });
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY },
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  // Bodies are read where they are used: the posts' door takes whatever a sender calls its JSON.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, code, message } = answerTo(error);
    if (status >= 500)
      deps.log.error(
        { route: request.routeOptions.url ?? null, code, detail: error.message },
        'A request failed.',
      );
    if (status === 429 || status === 503) reply.header('retry-after', '5');
    return reply.code(status).send(problem(code, message));
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(problem('not_found', `There is nothing at ${request.method} ${path(request.url)}.`)),
  );

  if (existsSync(deps.uiDir))
    await app.register(serveStatic, {
      root: deps.uiDir,
      cacheControl: false,
      setHeaders: (response, file) => {
        // Vite names what it builds by content; only the page itself changes under its name.
        const isHashed = /[\\/]assets[\\/]/.test(file);
        response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  else
    app.get('/', async (_request, reply) =>
      reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send('The page is not built: run npm run build. The API works all the same.\n'),
    );
  return app;
}

const path = (url: string): string => (url.split('?')[0] ?? '').slice(0, 200);

function answerTo(error: FastifyError): {
  readonly status: number;
  readonly code: string;
  readonly message: string;
} {
  if (error instanceof TocsinError) {
    if (error.code === 'BUS_FULL') return { status: 429, code: 'overload', message: `${error.message}.` };
    if (error.retryable)
      return { status: 503, code: 'unavailable', message: 'The bus does not answer. Try again in a moment.' };
  }
  const status = error.statusCode ?? 500;
  if (status === 413)
    return { status, code: 'too_large', message: 'The body is too large: send at most 8 MB at once.' };
  if (status >= 400 && status < 500) return { status, code: 'bad_request', message: error.message };
  return { status: 500, code: 'internal', message: 'Something broke inside; the log of serve says what.' };
}
