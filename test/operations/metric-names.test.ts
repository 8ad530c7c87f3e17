import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { createMetrics } from '#src/operations/metrics.ts';
import { findProgram } from '#test/harness/guarded-program.ts';
import { noReadings } from '#test/harness/no-readings.ts';

const dashboard = 'deploy/chart/dashboards/external-scaler-sysdig.json';

for (const path of [dashboard, 'deploy/chart/templates/prometheusrule.yaml']) {
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

test('Prometheus can read every expression of the dashboard', async (t) => {
  const { panels } = JSON.parse(readFileSync(dashboard, 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  t.true(expressions.length > 20);
  const rules = expressions.map((expr, n) => ({
    record: `panel_${n}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'rules.json');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  const { stdout } = await promisify(execFile)(await findProgram('promtool'), ['check', 'rules', file]);
  t.regex(stdout, new RegExp(`SUCCESS: ${expressions.length} rules found`));
});
