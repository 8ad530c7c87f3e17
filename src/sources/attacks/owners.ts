import type { FoundPod, NamedWorkload } from '#src/alerts/alert.ts';

/** A workload that a pod may belong to. */
export interface Owner {
  readonly name: string;
  /** What it may be; empty: anything. */
  readonly kinds: readonly string[];
  /** The cluster says so: a kind that no rule knows is its kind too. */
  readonly isCertain?: boolean;
}

/** Which workloads a pod may belong to. */
interface Owners {
  of(pod: { readonly namespace: string; readonly name: string }): readonly Owner[];
}

const fromTemplate = ['deployment', 'rollout'];
const fromSet = ['daemonset', 'job', 'replicaset', 'replicationcontroller'];
const ordinal = ['statefulset'];
const known = new Set([...fromTemplate, ...fromSet, ...ordinal, 'cronjob', 'pod']);

/** Kubernetes draws random names from these letters (k8s.io/apimachinery, rand.String). */
const random = '[bcdfghjklmnpqrstvwxz2456789]{5}';
/** A pod-template-hash: the digits of a number, each as one of ten letters (rand.SafeEncodeString). */
const hash = '[4-9bcdf]';
const ofTemplate = new RegExp(`^(.+)-${hash}{6,10}-${random}$`);
const ofCronJob = new RegExp(`^((.+)-\\d{8,})-${random}$`);
const ofIndexedJob = new RegExp(`^(.+)-\\d+-${random}$`);
const ofSet = new RegExp(`^(.+)-${random}$`);
const ofStatefulSet = /^(.+)-\d+$/;
const cutTemplate = new RegExp(`^(.+)-${hash}{1,10}-?$`);
const cutEnd = new RegExp(`${random}$`);

/** Kubernetes cuts what stands before the random letters to so many (names.go, MaxGeneratedNameLength). */
const longestBase = 58;

/** Guesses by the rules that controllers name pods by: what can be had without asking the API server. */
export const guessedOwners: Owners = { of: ({ name }) => guess(name) };

/** What an alert itself says is no guess. */
export function namedOwner({ kind, name }: NamedWorkload): Owner {
  return { name, kinds: [kind] };
}

/** What the cluster has above a pod, the nearest first, one for each name; a pod that nothing controls is a workload by itself. */
export function foundOwners({ owners }: FoundPod, pod: string): readonly Owner[] {
  if (owners.length === 0) return [{ name: pod, kinds: ['pod'], isCertain: true }];
  const byName = new Map<string, string[]>();
  for (const { kind, name } of owners) byName.set(name, [...(byName.get(name) ?? []), kind]);
  return Array.from(byName, ([name, kinds]) => ({ name, kinds, isCertain: true }));
}

/** Whether an owner is the workload that a trigger names. A kind that the rules do not know is known by its name. */
export function isOf(owner: Owner, { kind, name }: { kind: string | undefined; name: string }): boolean {
  if (owner.isCertain) return owner.name === name && (kind === undefined || owner.kinds.includes(kind));
  const isNamed = owner.name === name || owner.name === name.slice(0, longestBase);
  return (
    isNamed &&
    (kind === undefined || !known.has(kind) || owner.kinds.length === 0 || owner.kinds.includes(kind))
  );
}

/** The names under which owners of a workload may stand. */
export function namesOf(workload: string): string[] {
  return workload.length > longestBase ? [workload, workload.slice(0, longestBase)] : [workload];
}

function guess(pod: string): Owner[] {
  if (pod.length === longestBase + 5 && pod[longestBase - 1] !== '-' && cutEnd.test(pod))
    return guessCut(pod);
  const template = ofTemplate.exec(pod);
  if (template) return [{ name: template[1] ?? '', kinds: fromTemplate }];
  const cron = ofCronJob.exec(pod);
  if (cron) {
    return [
      { name: cron[2] ?? '', kinds: ['cronjob'] },
      { name: cron[1] ?? '', kinds: ['job'] },
    ];
  }
  const indexed = ofIndexedJob.exec(pod);
  if (indexed) return [{ name: indexed[1] ?? '', kinds: ['job'] }];
  const [set, stateful] = [ofSet.exec(pod)?.[1], ofStatefulSet.exec(pod)?.[1]];
  if (set !== undefined)
    return [{ name: set, kinds: stateful === undefined ? fromSet : [...fromSet, ...ordinal] }];
  if (stateful !== undefined) return [{ name: stateful, kinds: ordinal }];
  return [{ name: pod, kinds: ['pod'] }];
}

/** A base that was cut: of a Deployment some of the hash is left, of anything else the beginning of its name. */
function guessCut(pod: string): Owner[] {
  const base = pod.slice(0, longestBase);
  const template = cutTemplate.exec(base);
  const whole: Owner = { name: base, kinds: [] };
  return template ? [{ name: template[1] ?? '', kinds: fromTemplate }, whole] : [whole];
}
