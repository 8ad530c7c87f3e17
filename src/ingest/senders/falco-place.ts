import type { NamedWorkload } from '#src/alerts/alert.ts';
import { kubernetesName, type Members, podUid } from '#src/ingest/wire-values.ts';

/** Where an alert happened, as its fields tell it. Empty where they name none. */
export interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string | undefined;
  readonly workload: NamedWorkload | undefined;
}

const nowhere: Place = { namespace: '', pod: '', podUid: undefined, workload: undefined };

/**
 * Reads the place from Falco's output fields, never from its text. What runs on the host is in no pod, whatever else is
 * said. Falco finds no deployment itself since 0.41; the k8smeta plugin does. A ReplicaSet is not taken for the workload,
 * as it may well belong to a Deployment that was looked up too late.
 */
export function placeOf(fields: Members): Place {
  if (fields['container.id'] === 'host') return nowhere;
  const pod = kubernetesName(fields['k8s.pod.name']) ?? kubernetesName(fields['k8smeta.pod.name']);
  if (pod === undefined) return auditedPlace(fields);
  const namespace = kubernetesName(fields['k8s.ns.name']) ?? kubernetesName(fields['k8smeta.ns.name']);
  if (namespace === undefined) return nowhere;
  const deployment =
    kubernetesName(fields['k8smeta.deployment.name']) ?? kubernetesName(fields['k8s.deployment.name']);
  return {
    namespace,
    pod,
    podUid: podUid(fields['k8s.pod.uid']) ?? podUid(fields['k8smeta.pod.uid']),
    workload: deployment === undefined ? undefined : { kind: 'deployment', name: deployment },
  };
}

/** The name that an alert gives to its cluster; senders add it by custom fields, under one of these keys. */
export function clusterIn(members: Members): unknown {
  return (
    members['k8s.cluster.name'] ??
    members['kubernetes.cluster.name'] ??
    members['k8s_cluster_name'] ??
    members['cluster'] ??
    members['cluster_name']
  );
}

/**
 * Alerts about requests to the API server (Falco's k8s_audit): the target is a pod only where its resource says so. A pod
 * that is being created may get its name from the server, and then has it in the response; older creation rules tell the
 * response and the containers, but no resource.
 */
function auditedPlace(fields: Members): Place {
  const namespace = kubernetesName(fields['ka.target.namespace']);
  if (namespace === undefined) return nowhere;
  const resource = fields['ka.target.resource'];
  let pod: string | undefined;
  if (resource === 'pods') {
    pod = kubernetesName(fields['ka.target.name']) ?? kubernetesName(fields['ka.resp.name']);
  } else if (isMissing(resource) && createsPod(fields)) {
    pod = kubernetesName(fields['ka.resp.name']);
  }
  return pod === undefined ? nowhere : { namespace, pod, podUid: undefined, workload: undefined };
}

function createsPod(fields: Members): boolean {
  return 'ka.req.pod.containers.image' in fields || 'ka.req.container.image' in fields;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === '<NA>';
}
