import { type AlertSubject, mayAct, type NamedWorkload, type Sender } from '#src/alerts/alert.ts';

/** A pod that an alert of the reaper's rules was about. */
export interface Suspect {
  readonly namespace: string;
  readonly pod: string;
  /** As the alert itself says; what we found out later would prove nothing. */
  readonly uid: string | undefined;
  readonly rule: string;
  readonly sender: Sender;
  /** Falco's event source. */
  readonly source: string;
  readonly host: string | undefined;
  readonly mayAct: boolean;
  /** The newest alert, epoch ms. */
  at: number;
  /** The first, epoch ms. */
  firstAt: number;
  /** When it is to be looked at, epoch ms. */
  dueAt: number;
  /** How often the answer was no for now. */
  tries: number;
  /** The workloads above it, as far as the alert knew. */
  readonly owners: readonly NamedWorkload[];
}

export function suspectOf(subject: AlertSubject, at: number): Suspect {
  const { namespace, pod, podUid: uid, rule, sender, source, host, found } = subject;
  return {
    namespace,
    pod,
    uid,
    rule,
    sender,
    source,
    host,
    mayAct: mayAct(subject),
    at,
    firstAt: at,
    dueAt: at,
    tries: 0,
    owners: found?.owners ?? [],
  };
}

/** Everything that a judgement depends on: an alert that says other things of the same pod is judged by itself. */
export function keyOf({ namespace, pod, uid, rule, sender, source, host, mayAct: acts }: Suspect): string {
  return JSON.stringify([namespace, pod, uid, rule, sender, source, host, acts]);
}
