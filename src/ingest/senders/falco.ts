import type { Sender } from '#src/alerts/alert.ts';
import { type Priority, parsePriority, priorities } from '#src/alerts/priority.ts';
import { parseTime, timeFromNumber } from '#src/ingest/event-time.ts';
import type { Reading } from '#src/ingest/reading.ts';
import { clusterIn, placeOf } from '#src/ingest/senders/falco-place.ts';
import { isMembers, type Members, member, saidText, shown } from '#src/ingest/wire-values.ts';

/**
 * Falco's http_output, falcosidekick, and CloudEvents: one alert, or an array of them. In binary mode a CloudEvent's body
 * is the alert itself; in structured mode it is the event's `data`.
 */
export function parseFalco(value: unknown, reading: Reading): void {
  if (Array.isArray(value)) {
    for (const one of value) parseFalco(one, reading);
    return;
  }
  const alert = reading.begin(value);
  if (alert === undefined) return;
  const isEvent = alert['specversion'] !== undefined && alert['rule'] === undefined;
  const data = isEvent ? eventData(alert) : alert;
  if (data === undefined) {
    reading.refuse(`data: expected Falco's alert in the CloudEvent, got ${shown(alert['data'])}`);
    return;
  }
  readFalcoAlert(data, reading, { sender: 'falco', otherTime: isEvent ? alert['time'] : undefined });
}

export interface FalcoReadingOptions {
  readonly sender: Sender;
  /** What carried the alert may know a time where the alert itself does not. */
  readonly otherTime?: unknown;
}

/** Reads an alert as Falco's JSON output gives it. Its `uuid` is falcosidekick's, and new with every delivery. */
export function readFalcoAlert(
  alert: Members,
  reading: Reading,
  { sender, otherTime }: FalcoReadingOptions,
): void {
  const rule = reading.text(member(alert, 'rule'), mostRuleLength);
  if (rule === undefined) {
    reading.refuse(`rule: expected a text, got ${shown(member(alert, 'rule'))}`);
    return;
  }
  const said = reading.text(member(alert, 'source'), mostSourceLength) ?? 'syscall';
  // What falcosidekick writes where Falco said nothing.
  const source = said === 'syscalls' ? 'syscall' : said;
  if (isSignOfLife(rule, source)) {
    reading.signsOfLife += 1;
    return;
  }
  const priority = readPriority(member(alert, 'priority'));
  if (priority === undefined) {
    reading.refuse(
      `priority: expected one of ${priorities.join(', ')}, got ${shown(member(alert, 'priority'))}`,
    );
    return;
  }
  const given = member(alert, 'output_fields');
  const fields = isMembers(given) ? given : noFields;
  const place = placeOf(fields);
  reading.alerts.push({
    at: timeOf(member(alert, 'time'), fields, otherTime),
    ended: false,
    sender,
    rule,
    priority,
    source,
    tags: reading.tags(member(alert, 'tags')),
    namespace: place.namespace,
    pod: place.pod,
    podUid: place.podUid,
    workload: place.workload,
    host: reading.text(member(alert, 'hostname'), mostNameLength),
    cluster: reading.text(clusterIn(fields), mostNameLength),
    id: undefined,
    user: saidText(fields['ka.user.name']),
  });
}

/** Falco's notices about itself, and falcosidekick's test, which has their source. */
export function isSignOfLife(rule: string, source: string): boolean {
  return source === 'internal' || rule === 'Test rule';
}

/** A priority by its name, or by its number as Falco's gRPC clients write it: 0 for Emergency to 7 for Debug. */
export function readPriority(value: unknown): Priority | undefined {
  if (typeof value === 'string') return parsePriority(value) ?? priorities[rank(value)];
  return typeof value === 'number' ? priorities[value] : undefined;
}

export const mostRuleLength = 256;
export const mostSourceLength = 64;
export const mostNameLength = 253;

const noFields: Members = {};

function rank(text: string): number {
  return /^[0-7]$/.test(text) ? Number(text) : -1;
}

/** In structured mode with a binary encoding the data are base64, which Falco's senders do not use. */
function eventData(event: Members): Members | undefined {
  const data = event['data'];
  return isMembers(data) ? data : undefined;
}

/**
 * `time` where there is one, even if it cannot be read: a sender that writes `…Z+2` has no better in its fields. The
 * fields' own time is a bare integer of nanoseconds above 2^53; what JSON.parse rounds away of it is less than 1 µs.
 */
function timeOf(time: unknown, fields: Members, otherTime: unknown): number | undefined {
  if (typeof time === 'string' && time !== '') return parseTime(time);
  for (const other of [fields['evt.time.iso8601'], fields['evt.time'], otherTime]) {
    const at = readTime(other);
    if (at !== undefined) return at;
  }
  return undefined;
}

/** A time in any of the forms that senders use. */
export function readTime(value: unknown): number | undefined {
  if (typeof value === 'number') return timeFromNumber(value);
  const text = saidText(value);
  if (text === undefined) return undefined;
  return /^\d{10,19}$/.test(text) ? timeFromNumber(Number(text)) : parseTime(text);
}
