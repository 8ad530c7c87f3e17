import type { Account } from '#src/sources/sysdig/account.ts';
import type { Credential } from '#src/sources/sysdig/credential.ts';

/** The unnamed account at an address, free of limits, with a token that never changes. */
export function sysdigAccount(baseUrl: string, changes: Partial<Account> = {}): Account {
  return {
    name: 'default',
    baseUrl,
    credential: fixedToken('monitor-token'),
    namespaces: undefined,
    queries: 'any',
    concurrency: 8,
    requestsPerMinute: undefined,
    proxy: undefined,
    authorities: undefined,
    ...changes,
  };
}

/** A credential without a file. */
export function fixedToken(token: string): Credential {
  return {
    version: 1,
    headers: async () => ({ authorization: `Bearer ${token}` }),
    renew: async () => false,
    close() {},
  };
}
