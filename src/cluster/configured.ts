import { existsSync } from 'node:fs';

/** Where the way to the API server comes from. */
export type ClusterOrigin =
  | { readonly kind: 'in-cluster' }
  | { readonly kind: 'file'; readonly path: string };

const tokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** As every Kubernetes client finds it: inside of a pod by its service account, else by KUBECONFIG; undefined: none. */
export function configuredCluster(
  environment: Readonly<Record<string, string | undefined>>,
): ClusterOrigin | undefined {
  if (environment['KUBERNETES_SERVICE_HOST'] && existsSync(tokenFile)) return { kind: 'in-cluster' };
  const path = environment['KUBECONFIG'];
  return path === undefined || path === '' ? undefined : { kind: 'file', path };
}
