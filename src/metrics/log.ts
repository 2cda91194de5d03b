/** The process's logger: JSON lines on stderr, secrets taken out by key. */
import { destination, pino } from 'pino';
import type { Log } from '../base/log.ts';

const SECRET_KEYS = ['key', 'secret', 'password', 'token', 'authorization', 'mac', 'text'] as const;

/** @param service is on every line. */
export function createLog(service: string, level: string): Log {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]),
    },
    destination({ fd: 2, sync: true }),
  );
}
