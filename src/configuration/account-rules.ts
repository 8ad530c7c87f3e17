import type { AccountSettings } from '#src/configuration/settings.ts';
import { Failure } from '#src/failure.ts';
import { addressOf, ownUrl } from '#src/sources/sysdig/endpoints.ts';

/** What the settings of an account demand of each other. */
export function brokenAccountRules(account: AccountSettings, prefix: string): string[] {
  const problems: string[] = [];
  if ((account.region === undefined) === (account.url === undefined)) {
    problems.push(
      `${prefix}url, ${prefix}region: expected one of the two, got ${account.url ? 'both' : 'neither'}`,
    );
  } else {
    problems.push(...wrongIn(() => addressOf(account)).map((problem) => prefix + problem));
  }
  problems.push(
    ...wrongIn(() => ownUrl(account.iamUrl, account)).map((problem) => `${prefix}iamUrl: ${problem}`),
  );
  if ((account.tokenFile === undefined) === (account.ibmApiKeyFile === undefined)) {
    problems.push(
      `${prefix}tokenFile, ${prefix}ibmApiKeyFile: expected one of the two, got ${account.tokenFile ? 'both' : 'neither'}`,
    );
  }
  if (account.ibmApiKeyFile !== undefined && account.ibmInstanceId === undefined) {
    problems.push(
      `${prefix}ibmInstanceId: expected the GUID of the instance beside ibmApiKeyFile, got nothing`,
    );
  }
  return problems;
}

function wrongIn(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (thrown) {
    return [Failure.from(thrown).message];
  }
}
