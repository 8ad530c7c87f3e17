import { type DestinationStream, pino } from 'pino';
import type { Log } from '#src/log.ts';

/** Keys that could ever hold a secret, wherever they stand in a record. */
const secretKeys = ['token', 'apiKey', 'authorization', 'Authorization', 'password', 'secret'];

/** JSON, one line per event, to standard output unless told. Newlines and terminal escapes in texts arrive escaped. */
export function createLogger(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '(secret)' },
  };
  // Synchronous: whatever was said before the process ends is written, and in order.
  return pino(options, destination ?? pino.destination({ fd: 1, sync: true }));
}
