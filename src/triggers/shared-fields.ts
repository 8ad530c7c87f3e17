import { type Priority, parsePriority, priorities } from '#src/alerts/priority.ts';
import { list, number, pattern, read } from '#src/fields/field.ts';
import { largestQuantity } from '#src/fields/quantity.ts';
import type { AttackedWorkload, ScaledObjectId } from '#src/triggers/trigger.ts';

/** The target: the API server refuses an HPA whose target is under a thousandth. */
export const threshold = number({ min: 0.001, max: largestQuantity });

export const workload = () =>
  pattern(
    'a workload such as checkout or deployment/checkout',
    /^(?:[A-Za-z]{1,63}\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/,
  );

export const namespace = () => pattern('the name of a namespace', /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);

export const priority = () => read<Priority>(priorities.join(', '), parsePriority);

/** Patterns with `*`, `?` and a leading `!`. */
export const patterns = (of: string) => list(`${of}, divided by commas`);

/** `deployment/checkout` or `checkout` as its parts; undefined: what the ScaledObject scales. */
export function attackedWorkload(
  text: string | undefined,
  inNamespace: string,
  scaledObject: ScaledObjectId,
): AttackedWorkload {
  if (text === undefined) {
    return { namespace: inNamespace, kind: undefined, name: scaledObject.name, follows: scaledObject };
  }
  const [name = '', kind] = text.split('/').reverse();
  return { namespace: inNamespace, kind: kind?.toLowerCase(), name, follows: undefined };
}
