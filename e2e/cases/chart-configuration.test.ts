import { readFileSync } from 'node:fs';
import test from 'ava';
import { parse } from 'yaml';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { installations } from '#e2e/harness/chart-values.ts';
import { chart, release, rendered, type Values } from '#e2e/harness/helm.ts';
import { type Configuration, readConfiguration } from '#src/configuration/read-configuration.ts';
import { type Settings, settings } from '#src/configuration/settings.ts';

test('its defaults are those of the code, but for the place of the journal', async (t) => {
  const { settings } = configurationIn(await rendered({}));
  const { settings: own } = readConfiguration({}, () => '');
  t.deepEqual(settings, { ...own, journal: 'sqlite:/data/journal.db' });
  const values = { sysdig: { region: 'eu1', existingSecret: 'token' } };
  const tokenFile = '/var/run/secrets/external-scaler-sysdig/account-sysdig/token';
  const accounts = readConfiguration(
    { SYSDIG_REGION: 'eu1', SYSDIG_TOKEN_FILE: tokenFile },
    () => '',
  ).accounts;
  t.deepEqual(configurationIn(await rendered(values)).accounts, accounts);
});

test('the chart is of the version of the package', (t) => {
  const { version, appVersion } = parse(readFileSync(`${chart}/Chart.yaml`, 'utf8'));
  const { version: packaged } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.deepEqual([version, appVersion], [packaged, packaged]);
});

test('every setting can be reached by a value', async (t) => {
  const {
    settings: reached,
    accounts,
    credentials,
  } = configurationIn(await rendered({ ...installations['everything at once'], ...rare }));
  const unset = Object.keys(settings.shape).filter((key) => reached[key as keyof Settings] === undefined);
  t.deepEqual(unset, []);
  t.deepEqual([...accounts.keys()].sort(), ['default', 'ibm', 'team-a', 'team-a-ca']);
  t.deepEqual([...credentials.keys()].sort(), ['alertmanager', 'ca', 'falco']);
});

/** What the installations have no use for. */
const rare: Values = {
  attacksAcrossNamespaces: ['security'],
  reaper: { mode: 'on', rules: ['*'], namespaces: ['shop'], gracePeriod: '5s', rearmAfter: '1h' },
};

for (const title of Object.keys(installations).filter((one) => one !== 'three replicas over Redis')) {
  test(`${title}: the scaler takes the configuration`, async (t) => {
    t.truthy(configurationIn(await rendered(installations[title] ?? {})).settings);
  });
}

function configurationIn(objects: readonly RawObject[]): Configuration {
  const found = objects.find(({ metadata }) => metadata.name === `${release}-configuration`);
  return readConfiguration({ CONFIG_FILE: 'config.yaml' }, () => found?.['data']['config.yaml'] ?? '');
}
