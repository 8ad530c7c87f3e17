import type { AlertSubject } from '#src/alerts/alert.ts';
import type { Entry } from '#src/journal/entry.ts';

export const writer = { replica: 'scaler-0', epoch: 1_760_000_000_000 };
export const start = 1_760_000_000_000;

const subjects = new Map<string, AlertSubject>();

/** The one object for such a subject. */
export function subject(pod: string, rule = 'Terminal shell in container'): AlertSubject {
  const key = JSON.stringify([pod, rule]);
  const known = subjects.get(key) ?? newSubject(pod, rule);
  subjects.set(key, known);
  return known;
}

function newSubject(pod: string, rule: string): AlertSubject {
  return {
    kind: 'alert',
    sender: 'falco',
    rule,
    priority: 'Critical',
    source: 'syscall',
    tags: ['container', 'shell'],
    namespace: 'shop',
    pod,
    podUid: undefined,
    workload: undefined,
    host: 'node-1',
    cluster: undefined,
    id: undefined,
  };
}

export function entry(pod: string, at = start, count = 1): Entry {
  return { subject: subject(pod), at, count };
}
