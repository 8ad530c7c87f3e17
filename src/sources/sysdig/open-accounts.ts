import type { Clock } from '#src/clock.ts';
import type { AccountSettings } from '#src/configuration/settings.ts';
import type { Log } from '#src/log.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import type { Credential } from '#src/sources/sysdig/credential.ts';
import { addressOf, ownUrl } from '#src/sources/sysdig/endpoints.ts';
import type { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { IbmIam } from '#src/sources/sysdig/ibm-iam.ts';
import { TokenFile } from '#src/sources/sysdig/token-file.ts';
import { WatchedFile } from '#src/watched-file.ts';

export interface AccountParts {
  readonly pool: HttpPool;
  readonly clock: Clock;
  readonly log: Log;
}

/** The accounts with their credentials open. The settings have passed `readConfiguration`. */
export function openAccounts(
  settings: ReadonlyMap<string, AccountSettings>,
  parts: AccountParts,
): Map<string, Account> {
  return new Map([...settings].map(([name, account]) => [name, openAccount(name, account, parts)]));
}

/** Lets go of the files that the account watches. */
export function closeAccount({ credential, authorities }: Account): void {
  credential.close();
  authorities?.close();
}

function openAccount(name: string, settings: AccountSettings, parts: AccountParts): Account {
  const { namespaces, queries, concurrency, requestsPerMinute, proxy, caFile } = settings;
  const baseUrl = addressOf(settings);
  const authorities =
    caFile === undefined
      ? undefined
      : new WatchedFile({ path: caFile, holds: 'CA certificates (PEM)', absence: 'unavailable', ...parts });
  const credential = openCredential(settings, authorities, parts);
  return {
    name,
    baseUrl,
    credential,
    namespaces,
    queries,
    concurrency,
    requestsPerMinute,
    proxy,
    authorities,
  };
}

function openCredential(
  { tokenFile, ibmApiKeyFile, ibmInstanceId, ibmTeamId, iamUrl, allowHttp, proxy }: AccountSettings,
  authorities: WatchedFile | undefined,
  { pool, clock, log }: AccountParts,
): Credential {
  if (tokenFile !== undefined) return new TokenFile({ path: tokenFile, clock, log });
  return new IbmIam({
    path: ibmApiKeyFile ?? '',
    clock,
    log,
    pool,
    iamUrl: ownUrl(iamUrl, { allowHttp }),
    instanceId: ibmInstanceId ?? '',
    teamId: ibmTeamId,
    proxy,
    authorities,
  });
}
