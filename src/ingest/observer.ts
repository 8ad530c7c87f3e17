import type { Sender } from '#src/alerts/alert.ts';

/**
 * What became of an alert.
 *
 * - `accepted`: it counts
 * - `podless`: it names no pod, or none that Kubernetes could have
 * - `sign-of-life`: Falco's own notices, a test: the sender lives
 * - `foreign`: it names another cluster than ours
 * - `own`: it is about a request of our own to the API server
 * - `forbidden`: its credential may not speak for its namespace
 * - `malformed`: it cannot be read as an alert
 * - `repeated`: its sender has said it before, or says that it has ended
 * - `late`: older than anything is kept
 * - `shed`: not read for want of time or room; one request counts as one
 */
export const outcomes = [
  'accepted',
  'podless',
  'sign-of-life',
  'foreign',
  'own',
  'forbidden',
  'malformed',
  'repeated',
  'late',
  'shed',
] as const;
export type Outcome = (typeof outcomes)[number];

/** Told of what the ingest does; metrics listen here. Called for every request, so it has to be cheap. */
export interface IngestObserver {
  /** A request on one of the senders' paths was answered. */
  answered(sender: Sender, status: number): void;
  /** `count` is at least 1. */
  counted(sender: Sender, outcome: Outcome, count: number): void;
}
