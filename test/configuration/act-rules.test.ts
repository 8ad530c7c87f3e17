import test from 'ava';
import { ConfigurationError, readConfiguration } from '#src/configuration/read-configuration.ts';

const reaper = { REAPER: 'on', REAPER_RULES: 'Drop and execute *', CLUSTER_NAME: 'prod' };

function problems(environment: Record<string, string>, file = ''): readonly string[] {
  try {
    readConfiguration({ CONFIG_FILE: 'settings.yaml', ...environment }, () => file);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

test('what acts needs to know its cluster, its rules, and what it has done', (t) => {
  t.deepEqual(problems(reaper), []);
  t.deepEqual(problems({ SURGE: 'on', CLUSTER_NAME: 'prod' }), []);
  t.regex(
    problems({ ...reaper, CLUSTER_NAME: '' }).join(),
    /clusterName \(CLUSTER_NAME\): expected the name of this cluster/,
  );
  t.regex(
    problems({ ...reaper, REAPER_RULES: '' }).join(),
    /reaper.rules \(REAPER_RULES\): expected the rules/,
  );
  t.regex(problems({ ...reaper, JOURNAL: 'memory:' }).join(), /journal \(JOURNAL\): expected one that lasts/);
  t.deepEqual(problems({ ...reaper, REAPER: 'dry-run', JOURNAL: 'memory:' }), []);
  t.regex(
    problems({ ...reaper, REAPER_NAMESPACES: 'shop,kube-system' }).join(),
    /reaper.namespaces .* expected none of .* got kube-system/,
  );
});

test("a feature's mode may be written as the feature itself", (t) => {
  const read = (file: string) => problems({ CLUSTER_NAME: 'prod' }, file);
  t.deepEqual(read('surge: on\n'), []);
  t.deepEqual(read('reaper:\n  mode: dry-run\n  rules: [Drop and execute *]\n  minAvailable: 3\n'), []);
  t.regex(read('reaper: maybe\n').join(), /reaper.mode \(REAPER\): expected off, dry-run or on, got "maybe"/);
  t.regex(read('reaper:\n  mode: on\n').join(), /reaper.rules/);
  t.regex(
    read('reaper:\n  minAvailable: 120%\n').join(),
    /reaper.minAvailable .* expected a number of pods or a percentage/,
  );
});
