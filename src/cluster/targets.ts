import type { ScaledObjects } from '#src/cluster/scaled-objects.ts';
import { Failure } from '#src/failure.ts';

interface Id {
  readonly namespace: string;
  readonly name: string;
}

/** A workload that is scaled. */
export interface Target {
  /** Lower case; undefined: not known. */
  readonly kind: string | undefined;
  readonly apiVersion: string | undefined;
  readonly name: string;
}

/** What a trigger that names no workload means: whatever its ScaledObject scales. */
export interface Targets {
  /** Throws `unavailable` while it is not known. */
  of(scaledObject: Id): Target;
  /** Calls `onChange` when it may be another, until `signal` aborts. */
  watch(scaledObject: Id, onChange: () => void, signal: AbortSignal): void;
}

/** Without a cluster: the workload that has the ScaledObject's name. */
export const targetsByName: Targets = {
  of: ({ name }) => ({ kind: undefined, apiVersion: undefined, name }),
  watch() {
    // A name does not change.
  },
};

export function clusterTargets(scaledObjects: ScaledObjects): Targets {
  return {
    of(id) {
      const found = scaledObjects.get(id);
      if (found === undefined) {
        throw new Failure(
          'unavailable',
          `what ScaledObject ${id.namespace}/${id.name} scales is not known: the API server has shown no such ScaledObject yet`,
        );
      }
      const { kind, apiVersion, name } = found.target;
      return { kind: kind.toLowerCase(), apiVersion, name };
    },
    watch({ namespace, name }, onChange, signal) {
      const end = scaledObjects.onChange((changed) => {
        if (changed.namespace === namespace && changed.name === name) onChange();
      });
      signal.addEventListener('abort', end, { once: true });
    },
  };
}
