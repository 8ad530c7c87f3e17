import type { AlertSubject } from '#src/alerts/alert.ts';
import type { Entry } from '#src/journal/entry.ts';

/** The alert that an entry is about; throws for an entry about anything else. */
export function alertOf({ subject }: Pick<Entry, 'subject'>): AlertSubject {
  if (subject.kind !== 'alert') throw new Error(`expected an alert, got ${subject.kind}`);
  return subject;
}
