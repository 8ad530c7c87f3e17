import { Failure } from '#src/failure.ts';
import type { Asker } from '#src/sources/source.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import { promqlLabel } from '#src/sources/sysdig/metric-names.ts';
import type { SysdigTrigger } from '#src/triggers/trigger.ts';

export const unnamedAccount = 'default';

/** Which account a trigger may use. Asked before memory is read, so that nobody is answered what they may not ask. */
export class Accounts {
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #clusterName: string | undefined;

  constructor(accounts: ReadonlyMap<string, Account>, clusterName: string | undefined) {
    this.#accounts = accounts;
    this.#clusterName = clusterName;
  }

  /**
   * The trigger's account. Throws `unauthenticated` where none is configured and `permission-denied` where the trigger
   * may not use it: a namespace that only a request claims opens no list.
   */
  allow(trigger: SysdigTrigger, asker: Asker): Account {
    const account = this.#find(trigger.account);
    const { namespace } = trigger.scaledObject;
    if (account.namespaces === undefined) {
      if (trigger.account !== undefined) {
        throw denied(
          `account ${account.name} serves no namespace; list ${namespace} in accounts.${account.name}.namespaces`,
        );
      }
    } else if (!account.namespaces.includes(namespace)) {
      throw denied(
        `account ${account.name} does not serve namespace ${namespace}; its list of namespaces is the operator's`,
      );
    } else if (!asker.authenticated) {
      throw denied(
        `account ${account.name} serves listed namespaces only, and this caller has not shown who it is; set up mTLS between KEDA and the scaler (grpc.tls.clientCaFile), or let the scaler read ScaledObjects`,
      );
    }
    if (account.queries === 'own') this.#demandOwn(trigger, account.name);
    return account;
  }

  #find(name: string | undefined): Account {
    const account = this.#accounts.get(name ?? unnamedAccount);
    if (account !== undefined) return account;
    if (name !== undefined)
      throw denied(`account: expected one that the operator configured, got ${JSON.stringify(name)}`);
    throw new Failure(
      'unauthenticated',
      'no Sysdig account is configured; set SYSDIG_REGION or SYSDIG_URL, and SYSDIG_TOKEN_FILE, where the scaler runs',
    );
  }

  #demandOwn({ select, scaledObject }: SysdigTrigger, account: string): void {
    if (select.kind === 'query') {
      throw denied(`query: account ${account} answers metricName only (queries: own)`);
    }
    if (this.#clusterName === undefined) {
      throw denied(`account ${account} (queries: own) needs CLUSTER_NAME where the scaler runs`);
    }
    if (select.namespace !== scaledObject.namespace) {
      throw denied(
        `namespace: account ${account} (queries: own) answers for ${scaledObject.namespace} only, got ${select.namespace}`,
      );
    }
    if (select.cluster !== this.#clusterName) {
      throw denied(
        `cluster: account ${account} (queries: own) answers for ${this.#clusterName} only, got ${select.cluster}`,
      );
    }
    const forced = select.filter.find(({ label }) => forcedLabels.has(promqlLabel(label)));
    if (forced !== undefined) {
      throw denied(`filter: account ${account} (queries: own) sets ${forced.label} itself; leave it out`);
    }
  }
}

const forcedLabels = new Set(['kube_cluster_name', 'kube_namespace_name']);

function denied(message: string): Failure {
  return new Failure('permission-denied', message);
}
