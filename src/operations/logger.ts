import { pino } from 'pino';
import type { Log } from '#src/log.ts';

/** Keys that could ever hold a secret, wherever they stand in a record. */
const secretKeys = ['token', 'apiKey', 'authorization', 'Authorization', 'password', 'secret'];

/** JSON, one line per event, to standard output. Newlines and terminal escapes in texts arrive escaped. */
export function createLogger(level: string): Log {
  return pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '(secret)' },
  });
}
