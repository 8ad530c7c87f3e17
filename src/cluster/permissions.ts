import { AuthenticationV1Api, AuthorizationV1Api } from '@kubernetes/client-node';
import { apiFailure } from '#src/cluster/api-failure.ts';
import type { Connection } from '#src/cluster/connection.ts';

/** One verb on one kind of resource. */
export interface Permission {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** `pods`, or with its subresource `pods/eviction`. */
  readonly resource: string;
  /** Undefined: in all namespaces. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** Which of these this process lacks, in words: `create pods/eviction`. Throws `unavailable`. */
export async function missingPermissions(
  connection: Connection,
  wanted: readonly Permission[],
): Promise<string[]> {
  const api = connection.makeApiClient(AuthorizationV1Api);
  const answers = await Promise.all(
    wanted.map(async (permission) => {
      const { verb, group, resource: whole, namespace, name } = permission;
      const [resource, subresource] = whole.split('/');
      const resourceAttributes = { verb, group, resource, subresource, namespace, name };
      try {
        const { status } = await api.createSelfSubjectAccessReview({
          body: { spec: { resourceAttributes } },
        });
        return status?.allowed === true;
      } catch (thrown) {
        throw apiFailure(thrown, `asking whether it may ${describePermission(permission)}`);
      }
    }),
  );
  return wanted.filter((_, index) => !answers[index]).map(describePermission);
}

/** Who this process is to the API server, `system:serviceaccount:keda:external-scaler-sysdig`; undefined where it does not say. */
export async function ownUser(connection: Connection): Promise<string | undefined> {
  try {
    const review = await connection.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body: {} });
    return review.status?.userInfo?.username;
  } catch {
    return undefined;
  }
}

export function describePermission({ verb, group, resource, namespace }: Permission): string {
  const of = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${of}${namespace === undefined ? '' : ` in ${namespace}`}`;
}
