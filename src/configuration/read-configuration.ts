import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import {
  type AccountSettings,
  accountSettings,
  environmentName,
  type Settings,
  settings,
} from '#src/configuration/settings.ts';
import { Failure } from '#src/failure.ts';
import { show } from '#src/fields/field.ts';
import { nearest } from '#src/fields/suggestion.ts';
import { addressOf, ownUrl } from '#src/sources/sysdig/endpoints.ts';

export interface Configuration {
  readonly settings: Settings;
  /** Keyed by name; `default` is the unnamed account, where one is configured. */
  readonly accounts: ReadonlyMap<string, AccountSettings>;
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

export const unnamedAccount = 'default';

type Environment = Readonly<Record<string, string | undefined>>;
type Flat = Map<string, string>;

const secretInEnvironment =
  /^(?:SYSDIG|SDC|IBM|GRPC|INGEST|OPERATIONS)(?:_[A-Z0-9]+)*_(?:TOKEN|API_KEY|SECRET|PASSWORD|KEY)$/;
const accountPaths = Object.keys(accountSettings.shape).map((key) => `sysdig.${key}`);
const knownPaths = [...Object.keys(settings.shape), ...accountPaths];

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
  const { accounts: accountTree, ...rest } = tree;
  const flat = flatten(rest);
  for (const path of knownPaths) {
    const value = environment[environmentName(path)];
    if (value !== undefined && value !== '') flat.set(path, value);
  }
  problems.push(...secretsIn(environment), ...unknownPaths(flat));

  const read = readFields(settings, { flat, prefix: '', problems });
  const accounts = new Map<string, AccountSettings>();
  for (const [name, prefix, fields] of accountsOf(flat, environment['ACCOUNTS'] || accountTree, problems)) {
    const account = readFields(accountSettings, { flat: fields, prefix, problems });
    if (account !== undefined) {
      problems.push(...accountTogetherness(account, prefix));
      accounts.set(name, account);
    }
  }
  if (read !== undefined) problems.push(...tlsTogetherness(read));
  if (read === undefined || problems.length > 0) throw new ConfigurationError(problems);
  return { settings: read, accounts };
}

function readTree(
  path: string | undefined,
  readText: (path: string) => string,
  problems: string[],
): Record<string, unknown> {
  if (path === undefined || path === '') return {};
  try {
    const tree: unknown = parseYaml(readText(path)) ?? {};
    if (isTree(tree)) return tree;
    problems.push(`${path}: expected a YAML mapping of settings, got ${show(String(tree))}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    problems.push(`CONFIG_FILE ${path}: expected readable YAML, got: ${reason}`);
  }
  return {};
}

/** `{grpc: {address: a}}` as `grpc.address`. Every scalar becomes the text that the environment would carry. */
function flatten(tree: Record<string, unknown>, prefix = '', into: Flat = new Map()): Flat {
  for (const [key, value] of Object.entries(tree)) {
    if (isTree(value)) flatten(value, `${prefix}${key}.`, into);
    else if (Array.isArray(value)) into.set(prefix + key, value.join(','));
    else if (value !== null && value !== undefined) into.set(prefix + key, String(value));
  }
  return into;
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function secretsIn(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => environment[name] !== '' && secretInEnvironment.test(name))
    .map(
      (name) =>
        `${name}: a secret in the environment is refused; write it to a file and name that, as SYSDIG_TOKEN_FILE does`,
    );
}

function unknownPaths(flat: Flat): string[] {
  return [...flat.keys()]
    .filter((path) => !knownPaths.includes(path))
    .map((path) => unknown(path, knownPaths));
}

function unknown(path: string, known: readonly string[]): string {
  const meant = nearest(path, known);
  return `${path}: unknown setting; ${meant === undefined ? 'see the table of settings in docs/configuration.md' : `did you mean ${meant}?`}`;
}

interface Fields {
  flat: Flat;
  prefix: string;
  problems: string[];
}

function readFields<T>(schema: z.ZodType<T>, { flat, prefix, problems }: Fields): T | undefined {
  const parsed = schema.safeParse(Object.fromEntries(flat));
  for (const issue of parsed.error?.issues ?? []) {
    const path = prefix + issue.path.join('.');
    const fromEnvironment = prefix.startsWith('accounts.') ? '' : ` (${environmentName(path)})`;
    problems.push(`${path}${fromEnvironment}: ${issue.message}`);
  }
  return parsed.data;
}

/** The unnamed account from `sysdig.*` and the named ones from `accounts`, which the environment gives as YAML. */
function accountsOf(
  flat: Flat,
  named: unknown,
  problems: string[],
): [name: string, prefix: string, fields: Flat][] {
  const found: [string, string, Flat][] = [];
  const unnamed = new Map<string, string>();
  for (const path of accountPaths) {
    const value = flat.get(path);
    if (value !== undefined) unnamed.set(path.slice('sysdig.'.length), value);
  }
  if (unnamed.size > 0) found.push([unnamedAccount, 'sysdig.', unnamed]);
  for (const [name, tree] of Object.entries(accountTree(named, problems))) {
    const prefix = `accounts.${name}.`;
    if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name) || name === unnamedAccount || !isTree(tree)) {
      problems.push(
        `accounts: expected names such as team-a (not ${unnamedAccount}), each with its settings, got ${show(name)}`,
      );
      continue;
    }
    const fields = flatten(tree);
    const known = Object.keys(accountSettings.shape);
    for (const key of fields.keys()) {
      if (!known.includes(key)) problems.push(prefix + unknown(key, known));
    }
    found.push([name, prefix, fields]);
  }
  return found;
}

function accountTree(named: unknown, problems: string[]): Record<string, unknown> {
  if (named === undefined || named === null) return {};
  try {
    const tree: unknown = typeof named === 'string' ? parseYaml(named) : named;
    if (isTree(tree)) return tree;
  } catch {
    // Told below, without the parser's excerpt.
  }
  problems.push(
    'accounts (ACCOUNTS): expected a YAML mapping of names to their settings, got something else',
  );
  return {};
}

function accountTogetherness(account: AccountSettings, prefix: string): string[] {
  const problems: string[] = [];
  if ((account.region === undefined) === (account.url === undefined)) {
    problems.push(
      `${prefix}url, ${prefix}region: expected one of the two, got ${account.url ? 'both' : 'neither'}`,
    );
  }
  if ((account.region === undefined) !== (account.url === undefined)) {
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

function tlsTogetherness(read: Settings): string[] {
  const [certificate, key] = [read['grpc.tls.certFile'], read['grpc.tls.keyFile']];
  const problems: string[] = [];
  if ((certificate === undefined) !== (key === undefined)) {
    problems.push('grpc.tls.certFile, grpc.tls.keyFile: expected both or neither, got one');
  }
  if (read['grpc.tls.clientCaFile'] !== undefined && certificate === undefined) {
    problems.push('grpc.tls.clientCaFile: goes with grpc.tls.certFile, which is missing');
  }
  if (read['grpc.tls.allowedNames'] !== undefined && read['grpc.tls.clientCaFile'] === undefined) {
    problems.push('grpc.tls.allowedNames: goes with grpc.tls.clientCaFile, which is missing');
  }
  return problems;
}
