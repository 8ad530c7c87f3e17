import type { Reading } from '#src/ingest/reading.ts';
import { readFalcoAlert } from '#src/ingest/senders/falco.ts';
import { isMembers, type Members, member } from '#src/ingest/wire-values.ts';

/**
 * Fluent Bit's records of Falco's JSON log: an array of them, or one after the other. The alert is the record itself, or
 * stands in one of its members, as a text where no parser has read it. `date` is when the record was read; what the
 * kubernetes filter adds is about Falco's own pod, and not about the attacked one.
 */
export function parseFluentBit(value: unknown, reading: Reading): void {
  if (Array.isArray(value)) {
    for (const one of value) parseFluentBit(one, reading);
    return;
  }
  const record = reading.begin(value);
  if (record === undefined) return;
  const alert = alertIn(record);
  if (alert === undefined) {
    reading.refuse(
      `expected Falco's alert as a record, or as JSON under ${places.join(' or ')}; set json_output: true in Falco, and match only its log`,
    );
    return;
  }
  readFalcoAlert(alert, reading, { sender: 'fluentbit', otherTime: record['date'] });
}

const places = ['log', 'message', 'msg', 'MESSAGE'] as const;

function alertIn(record: Members): Members | undefined {
  if (member(record, 'rule') !== undefined) return record;
  for (const place of places) {
    const held = record[place];
    const alert = typeof held === 'string' ? parsed(held) : held;
    if (isMembers(alert) && member(alert, 'rule') !== undefined) return alert;
  }
  return undefined;
}

/** An ordinary line of a log is no error here: what it is, is told by the caller. */
function parsed(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
