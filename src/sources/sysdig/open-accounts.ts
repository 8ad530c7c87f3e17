import type { Clock } from '#src/clock.ts';
import type { AccountSettings } from '#src/configuration/settings.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import type { Credential } from '#src/sources/sysdig/credential.ts';
import { ownUrl, regionUrl } from '#src/sources/sysdig/endpoints.ts';
import type { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { IbmIam } from '#src/sources/sysdig/ibm-iam.ts';
import { TokenFile } from '#src/sources/sysdig/token-file.ts';

export interface AccountParts {
  readonly pool: HttpPool;
  readonly clock: Clock;
  readonly log: Log;
}

/** The accounts with their credentials open. Throws `invalid`, all wrong addresses at once. */
export function openAccounts(
  settings: ReadonlyMap<string, AccountSettings>,
  parts: AccountParts,
): Map<string, Account> {
  const problems: string[] = [];
  const accounts = new Map<string, Account>();
  for (const [name, account] of settings) {
    try {
      accounts.set(name, openAccount(name, account, parts));
    } catch (thrown) {
      problems.push(`account ${name}: ${Failure.from(thrown).message}`);
    }
  }
  if (problems.length === 0) return accounts;
  for (const { credential } of accounts.values()) credential.close();
  throw new Failure('invalid', problems.join('\n'));
}

function openAccount(name: string, settings: AccountSettings, parts: AccountParts): Account {
  const { allowHttp, namespaces, queries, concurrency, requestsPerMinute, proxy, caFile } = settings;
  const baseUrl =
    settings.url === undefined ? regionUrl(settings.region ?? '') : ownUrl(settings.url, { allowHttp });
  const credential = openCredential(settings, parts);
  return { name, baseUrl, credential, namespaces, queries, concurrency, requestsPerMinute, proxy, caFile };
}

function openCredential(settings: AccountSettings, { pool, clock, log }: AccountParts): Credential {
  const { tokenFile, ibmApiKeyFile, ibmInstanceId, ibmTeamId, iamUrl, allowHttp, proxy } = settings;
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
  });
}
