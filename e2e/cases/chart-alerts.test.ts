import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { stringify } from 'yaml';
import { openCase } from '#e2e/harness/case.ts';
import { rendered } from '#e2e/harness/helm.ts';
import { findProgram } from '#test/harness/guarded-program.ts';

const of = 'job="external-scaler-sysdig", namespace="keda"';
const requests = 'external_scaler_sysdig_request_duration_seconds_count';

/** What raises each alert; in ten minutes of a sample a minute, in Prometheus' own notation. */
const raisedBy: Readonly<Record<string, readonly { readonly series: string; readonly values: string }[]>> = {
  Down: [{ series: `up{${of}}`, values: '0x10' }],
  UpstreamFailing: [
    { series: `${requests}{${of}, account="default", outcome="unavailable"}`, values: '0+60x10' },
    { series: `${requests}{${of}, account="default", outcome="ok"}`, values: '0+1x10' },
  ],
  AccountFrozen: [
    { series: `external_scaler_sysdig_frozen_seconds{${of}, account="default"}`, values: '30x10' },
  ],
  AnswersOld: [{ series: `external_scaler_oldest_answer_age_seconds{${of}}`, values: '0+60x10' }],
  OnLastValue: [{ series: `external_scaler_triggers_on_last_value{${of}}`, values: '1x10' }],
  JournalNotDurable: [{ series: `external_scaler_journal_durable{${of}}`, values: '0x10' }],
  JournalLosing: [{ series: `external_scaler_journal_lost_entries_total{${of}}`, values: '0+1x10' }],
  SensorSilent: [
    { series: `external_scaler_sensor_silent{${of}, sender="falco", credential="falco"}`, values: '1x10' },
  ],
  ReaperDisarmed: [{ series: `external_scaler_reaper_disarmed_rules{${of}}`, values: '1x10' }],
  AttackInProgress: [{ series: `external_scaler_active_attack_triggers{${of}}`, values: '2x10' }],
};

/** What a scaler shows that has nothing to complain of. */
const healthy = [
  { series: `up{${of}}`, values: '1x10' },
  { series: `${requests}{${of}, account="default", outcome="ok"}`, values: '0+60x10' },
  { series: `${requests}{${of}, account="default", outcome="unavailable"}`, values: '0+1x10' },
  { series: `external_scaler_sysdig_frozen_seconds{${of}, account="default"}`, values: '0x10' },
  { series: `external_scaler_oldest_answer_age_seconds{${of}}`, values: '20x10' },
  { series: `external_scaler_triggers_on_last_value{${of}}`, values: '0x10' },
  { series: `external_scaler_journal_durable{${of}}`, values: '1x10' },
  { series: `external_scaler_journal_lost_entries_total{${of}}`, values: '5x10' },
  { series: `external_scaler_sensor_silent{${of}, sender="falco", credential="falco"}`, values: '0x10' },
  { series: `external_scaler_reaper_disarmed_rules{${of}}`, values: '0x10' },
  { series: `external_scaler_active_attack_triggers{${of}}`, values: '0x10' },
];

test('Prometheus raises each alert when it should, and none for a healthy scaler', async (t) => {
  const story = await openCase(t, 'alerts');
  const values = { prometheus: { prometheusRules: { enabled: true } } };
  const found = (await rendered(values)).find(({ kind }) => kind === 'PrometheusRule')?.['spec'];
  const rules: { alert: string }[] = found.groups[0].rules;
  const names = rules.map(({ alert }) => alert);
  t.deepEqual(
    names.map((alert) => alert.replace('ExternalScalerSysdig', '')),
    Object.keys(raisedBy),
  );
  const file = join(story.folder, 'rules.yaml');
  writeFileSync(file, stringify(found));
  // Labels and texts are not compared: ALERTS has one series for each alert that fires.
  const firing = (alert: string) => `count(ALERTS{alertname="${alert}", alertstate="firing"})`;
  const tests = names.flatMap((alert) => {
    const [raised, quiet] = [raisedBy[alert.replace('ExternalScalerSysdig', '')], healthy];
    return [
      { input_series: raised, promql_expr_test: [expectation(firing(alert), 1)] },
      { input_series: quiet, promql_expr_test: [expectation(firing(alert))] },
    ];
  });
  const suite = join(story.folder, 'suite.yaml');
  const whole = tests.map((one) => ({ interval: '1m', ...one }));
  writeFileSync(suite, stringify({ rule_files: [file], evaluation_interval: '1m', tests: whole }));
  const promtool = await findProgram('promtool');
  const run = promisify(execFile)(promtool, ['test', 'rules', suite]);
  await t.notThrowsAsync(
    run,
    await run.then(
      () => '',
      ({ stdout, stderr }) => stdout + stderr,
    ),
  );
});

function expectation(expr: string, value?: number): object {
  const exp_samples = value === undefined ? [] : [{ labels: '{}', value }];
  return { expr, eval_time: '10m', exp_samples };
}
