import { status } from '@grpc/grpc-js';
import type { Failure, FailureCode } from '#src/failure.ts';

/** A failure on the wire. */
export interface WireStatus {
  readonly code: status;
  readonly details: string;
}

const codes: Readonly<Record<FailureCode, status>> = {
  invalid: status.INVALID_ARGUMENT,
  'not-found': status.NOT_FOUND,
  unauthenticated: status.UNAUTHENTICATED,
  'permission-denied': status.PERMISSION_DENIED,
  'rate-limited': status.RESOURCE_EXHAUSTED,
  deadline: status.DEADLINE_EXCEEDED,
  unavailable: status.UNAVAILABLE,
  internal: status.INTERNAL,
};

/**
 * The encoded text that fits a trailer. gRPC asks for whole header blocks of at most 8 KiB, and gRPC's C core refuses
 * larger ones (its `max_metadata_size`); Go takes 16 MiB, Node 64 KiB. The rest of the block needs some 100 bytes.
 */
const largestDetails = 8_000;
const cut = ' … (cut)';

/** A defect of ours shows nothing of itself: its text may hold anything and belongs in the log. */
export function statusOf(failure: Failure): WireStatus {
  const details = failure.code === 'internal' ? 'internal error' : fitting(failure.message);
  return { code: codes[failure.code], details };
}

/** `NOT_FOUND`: the name for metrics. */
export function statusName(code: status): string {
  return status[code] ?? 'UNKNOWN';
}

/**
 * grpc-js percent-encodes with encodeURI, which throws on half a surrogate pair, outside of any handler's reach; and
 * one character may take twelve bytes. So the text is made whole, and measured as it will travel.
 */
function fitting(message: string): string {
  // Only what could fit at one byte a character is worth encoding.
  const text = message.slice(0, largestDetails + 1).toWellFormed();
  if (encodeURI(text).length <= largestDetails) return text;
  const room = largestDetails - encodeURI(cut).length;
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += encodeURI(character).length;
    if (used > room) break;
    kept += character;
  }
  return kept + cut;
}
