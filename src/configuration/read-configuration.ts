import { brokenAccountRules } from '#src/configuration/account-rules.ts';
import { brokenActRules } from '#src/configuration/act-rules.ts';
import { brokenIngestRules } from '#src/configuration/ingest-rules.ts';
import {
  type Family,
  type Member,
  readFamily,
  readFields,
  unknownPaths,
} from '#src/configuration/named-settings.ts';
import { at, flatten, readTree } from '#src/configuration/setting-tree.ts';
import {
  type AccountSettings,
  accountSettings,
  type CredentialSettings,
  credentialSettings,
  environmentName,
  type Settings,
  settings,
} from '#src/configuration/settings.ts';

export interface Configuration {
  readonly settings: Settings;
  /** Keyed by name; `default` is the unnamed account, where one is configured. */
  readonly accounts: ReadonlyMap<string, AccountSettings>;
  /** The credentials of the ingest, keyed alike. */
  readonly credentials: ReadonlyMap<string, CredentialSettings>;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const secretInEnvironment =
  /^(?:SYSDIG|SDC|IBM|GRPC|INGEST|OPERATIONS)(?:_[A-Z0-9]+)*_(?:TOKEN|API_KEY|SECRET|PASSWORD|KEY)$/;
const accountFamily: Family<AccountSettings> = {
  schema: accountSettings,
  prefix: 'sysdig.',
  path: 'accounts',
};
const credentialFamily: Family<CredentialSettings> = {
  schema: credentialSettings,
  prefix: 'ingest.',
  path: 'ingest.credentials',
};
const families = [accountFamily, credentialFamily];
const knownPaths = [
  ...Object.keys(settings.shape),
  ...families.flatMap(({ schema, prefix }) => Object.keys(schema.shape).map((key) => prefix + key)),
];

/**
 * Reads the file that `CONFIG_FILE` names, if any, and the environment over it. Throws a `ConfigurationError` with
 * all problems. `readText` reads a file.
 */
export function readConfiguration(
  environment: Environment,
  readText: (path: string) => string,
): Configuration {
  const problems: string[] = [];
  const tree = readTree(environment['CONFIG_FILE'], readText, problems);
  const flat = flatten(
    tree,
    families.map(({ path }) => path),
  );
  // `reaper: on` is short for its mode.
  for (const path of knownPaths.filter((known) => known.endsWith('.mode'))) {
    const feature = path.slice(0, -'.mode'.length);
    const mode = flat.get(feature);
    if (mode !== undefined) flat.set(path, mode);
    flat.delete(feature);
  }
  for (const path of knownPaths) {
    const value = environment[environmentName(path)];
    if (value !== undefined && value !== '') flat.set(path, value);
  }
  problems.push(...secretsIn(environment), ...unknownPaths(flat, knownPaths));

  const members = <T>(family: Family<T>): Member<T>[] => {
    const named = environment[environmentName(family.path)] || at(tree, family.path);
    return readFamily(family, { flat, named, problems });
  };
  const read = readFields(settings, { flat, prefix: '', problems });
  const accounts = members(accountFamily);
  const credentials = members(credentialFamily);
  for (const account of accounts) problems.push(...brokenAccountRules(account.settings, account.prefix));
  if (read !== undefined) {
    problems.push(...brokenTlsRules(read, 'grpc'), ...brokenTlsRules(read, 'ingest'));
    problems.push(...brokenIngestRules(read, credentials), ...brokenActRules(read));
  }
  if (read === undefined || problems.length > 0) throw new ConfigurationError(problems);
  return { settings: read, accounts: byName(accounts), credentials: byName(credentials) };
}

function byName<T>(members: readonly Member<T>[]): Map<string, T> {
  return new Map(members.map(({ name, settings: own }) => [name, own]));
}

function secretsIn(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => environment[name] !== '' && secretInEnvironment.test(name))
    .map(
      (name) =>
        `${name}: a secret in the environment is refused; write it to a file and name that, as SYSDIG_TOKEN_FILE does`,
    );
}

function brokenTlsRules(read: Settings, door: 'grpc' | 'ingest'): string[] {
  const certificate = read[`${door}.tls.certFile`];
  const problems: string[] = [];
  if ((certificate === undefined) !== (read[`${door}.tls.keyFile`] === undefined)) {
    problems.push(`${door}.tls.certFile, ${door}.tls.keyFile: expected both or neither, got one`);
  }
  if (read[`${door}.tls.clientCaFile`] !== undefined && certificate === undefined) {
    problems.push(`${door}.tls.clientCaFile: goes with ${door}.tls.certFile, which is missing`);
  }
  if (
    door === 'grpc' &&
    read['grpc.tls.allowedNames'] !== undefined &&
    read['grpc.tls.clientCaFile'] === undefined
  ) {
    problems.push('grpc.tls.allowedNames: goes with grpc.tls.clientCaFile, which is missing');
  }
  return problems;
}
