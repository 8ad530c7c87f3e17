import type { Log } from '#src/log.ts';

/** For tests and benchmarks, which have nobody to tell. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
