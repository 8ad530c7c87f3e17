import { readFileSync } from 'node:fs';
import test from 'ava';
import { createMetrics } from '#src/operations/metrics.ts';
import { noReadings } from '#test/harness/no-readings.ts';

const shown = [
  'deploy/chart/dashboards/external-scaler-sysdig.json',
  'deploy/chart/templates/prometheusrule.yaml',
];

for (const path of shown) {
  test(`every metric that ${path} shows is one that is served`, async (t) => {
    const served = await createMetrics(noReadings).render();
    const names = readFileSync(path, 'utf8').match(/\b(?:external_scaler|process|nodejs)_\w+/g) ?? [];
    t.true(names.length > 5);
    for (const name of new Set(names)) {
      // A histogram is served by its parts.
      const family = name.replace(/_(?:bucket|count|sum)$/, '');
      t.regex(served, new RegExp(`^# TYPE (?:${name}|${family}) `, 'm'));
    }
  });
}
