import { globSync } from 'node:fs';
import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { Policies, readObjects } from '#e2e/harness/policies.ts';
import { attack, load, type Metadata, right, wrong } from '#e2e/harness/trigger-verdicts.ts';
import { falcoSchema } from '#src/triggers/falco-schema.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import { sysdigSchema } from '#src/triggers/sysdig-schema.ts';
import { attackMetricNames } from '#src/triggers/trigger.ts';

const address = 'external-scaler-sysdig.keda.svc:6000';

function scaling(metadata: Metadata, options: { metricType?: string; spec?: object; to?: string } = {}) {
  return scaledObject('judged', {
    triggers: [trigger(options.to ?? address, metadata, { type: 'external-push', ...options })],
    ...options,
  });
}

function scaledJob(metadata: Metadata, metricType?: string) {
  const { template } = workload('work').spec;
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    metadata: { name: 'judged' },
    spec: {
      jobTargetRef: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
      triggers: [trigger(address, metadata, metricType === undefined ? {} : { metricType })],
    },
  };
}

function read(scalerMetadata: Metadata) {
  return parseTrigger({ name: 'judged', namespace: 'shop', scalerMetadata }, { cluster: 'e2e' });
}

test('a trigger of ours is valid, as far as its text tells', async (t) => {
  const story = await openCase(t, 'policy-triggers');
  const policies = new Policies(story);
  await policies.install(t, ['triggers']);
  await policies.enforce(scaling({}));
  const says = async (object: object, expected: string | undefined) =>
    t.is((await policies.judge(object)).refusal, expected, JSON.stringify(object));

  for (const [metadata, text] of wrong) {
    await says(scaling(metadata), text);
    await says(scaledJob(metadata), text);
    t.not(read(metadata).kind, 'valid', text);
  }
  for (const metadata of right) {
    await says(scaling(metadata), undefined);
    t.is(read(metadata).kind, 'valid', JSON.stringify(read(metadata)));
  }

  const multiplies =
    'metricType: expected AverageValue (the default) unless source: sysdig is written out, got Value, which multiplies the replicas of source: falco at every sync of the HPA';
  await says(scaling(attack, { metricType: 'Value' }), multiplies);
  await says(
    scaling({ sourceFromEnv: 'S', metric: 'alerts', threshold: '1' }, { metricType: 'Value' }),
    multiplies,
  );
  await says(scaling(attack, { metricType: 'AverageValue' }), undefined);
  await says(scaling(load, { metricType: 'Value' }), undefined);
  await says(scaledJob(load), undefined);
  await says(
    scaledJob(load, 'AverageValue'),
    'metricType: expected none in a ScaledJob, got AverageValue; remove it',
  );

  const modifiers = { advanced: { scalingModifiers: { formula: 'load', target: '1' } } };
  const noEffect =
    'thresholdUnderAttack: has no effect beside advanced.scalingModifiers, whose own target the HPA gets; remove one of the two';
  await says(scaling({ ...load, thresholdUnderAttack: '50' }, { spec: modifiers }), noEffect);
  await says(scaling({ ...load, thresholdUnderAttackFromEnv: 'T' }, { spec: modifiers }), noEffect);
  await says(scaling(load, { spec: modifiers }), undefined);
});

test('the policy knows the keys and metrics that the scaler knows', (t) => {
  const [policy] = readObjects('deploy/policies/triggers.yaml');
  const text = JSON.stringify(policy?.['spec'].variables);
  for (const schema of [sysdigSchema, falcoSchema])
    t.true(text.includes(Object.keys(schema.shape).join(' ')));
  t.true(text.includes(attackMetricNames.join(' ')));
});

test('other triggers are none of our business, unless every external one is', async (t) => {
  const story = await openCase(t, 'policy-others');
  const policies = new Policies(story);
  await policies.install(t, ['triggers', 'accounts', 'surge']);
  await policies.enforce(
    scaling({}),
    scaling({ ...load, account: 'payments' }),
    scaling({ ...attack, surge: 'true' }, { spec: { maxReplicaCount: 51 } }),
  );
  const rubbish = { source: 'x', account: 'payments', surge: 'true', accountFromEnv: 'A' };
  const elsewhere = scaling(rubbish, { to: 'other-scaler.keda.svc:6000' });
  const cron = {
    ...elsewhere,
    spec: {
      ...elsewhere.spec,
      triggers: [{ type: 'cron', metadata: { scalerAddress: address, ...rubbish } }],
    },
  };
  t.is((await policies.judge(elsewhere)).refusal, undefined);
  t.is((await policies.judge(cron)).refusal, undefined);
  let judged = 0;
  for (const file of globSync('examples/**/*.yaml')) {
    for (const object of readObjects(file).filter(({ kind }) => /^Scaled(Object|Job)$/.test(kind))) {
      judged++;
      const accounts = object['spec'].triggers.map(
        ({ metadata }: { metadata: Metadata }) => metadata['account'],
      );
      await policies.setParameters({ accounts: accounts.join(',') });
      await story.until(`${file} passes`, async () => {
        const { refusal } = await policies.judge(object);
        return (
          refusal === undefined || (refusal.startsWith('account') ? false : t.fail(`${file}: ${refusal}`))
        );
      });
    }
  }
  t.true(judged >= 3);
  await policies.setParameters({ scalerAddress: '' });
  await story.until('every external trigger is ours', async () => (await policies.judge(elsewhere)).refusal);
  t.is((await policies.judge(cron)).refusal, undefined);
});

test('a namespace names its own accounts only', async (t) => {
  const story = await openCase(t, 'policy-accounts');
  const policies = new Policies(story);
  const { namespace } = story;
  await policies.install(t, ['accounts'], {
    [`accounts.${namespace}`]: 'shop, payments',
    accounts: 'platform',
    'accounts.another': 'another',
  });
  await policies.enforce(scaling({ ...load, account: 'nobody' }));
  const says = async (metadata: Metadata, expected: string | undefined) => {
    for (const object of [scaling(metadata), scaledJob(metadata)]) {
      t.is((await policies.judge(object)).refusal, expected);
    }
  };
  const refused = (name: string, listed = 'one of shop, payments') =>
    `account: expected ${listed} in namespace ${namespace}, got "${name}"; the operator lists them in ConfigMap external-scaler-sysdig-policies, key accounts.${namespace}`;
  await says(load, undefined);
  await says({ ...load, account: 'payments' }, undefined);
  await says({ ...load, account: 'another' }, refused('another'));
  await says({ ...load, account: 'platform' }, refused('platform'));
  await says({ ...load, account: '' }, refused(''));
  await says(
    { ...load, accountFromEnv: 'ACCOUNT' },
    'account: expected a name that is written out, got accountFromEnv; write account',
  );
  await policies.setParameters({ accounts: 'platform' });
  const platform = scaling({ ...load, account: 'platform' });
  await story.until(
    'the list for all holds',
    async () => (await policies.judge(platform)).refusal === undefined,
  );
  await says({ ...load, account: 'payments' }, refused('payments', 'one of platform'));
});

test('what surges stays below the cap', async (t) => {
  const story = await openCase(t, 'policy-surge');
  const policies = new Policies(story);
  const { namespace } = story;
  const surging = { ...attack, surge: 'true' };
  const upTo = (max: number | null, metadata: Metadata = surging) =>
    scaledObject('judged', { max, triggers: [trigger(address, metadata)] });
  const says = async (object: object, expected: string | undefined) =>
    t.is((await policies.judge(object)).refusal, expected);
  await policies.install(t, ['surge'], { surgeMaxReplicas: '50', [`surgeMaxReplicas.${namespace}`]: '20' });
  await policies.enforce(upTo(21));
  await says(upTo(20), undefined);
  await says(upTo(21), 'maxReplicaCount: expected at most 20 beside surge: "true", got 21');
  await says(upTo(null), 'maxReplicaCount: expected at most 20 beside surge: "true", got nothing');
  await says(
    upTo(21, { ...attack, surgeFromEnv: 'S' }),
    'maxReplicaCount: expected at most 20 beside surge: "true", got 21',
  );
  await says(upTo(500, { ...attack, surge: 'false' }), undefined);
  await says(upTo(500, load), undefined);
  const until = (refusal: string) =>
    story.until(refusal, async () => (await policies.judge(upTo(1))).refusal === refusal);
  await policies.setParameters({ [`surgeMaxReplicas.${namespace}`]: 'plenty' });
  await until(
    'surgeMaxReplicas: expected a whole number in ConfigMap external-scaler-sysdig-policies, got "plenty"; the operator can mend it',
  );
  await policies.setParameters({ [`surgeMaxReplicas.${namespace}`]: '0' });
  await until(
    `surge: expected "false" in namespace ${namespace}, which may not surge; the operator sets surgeMaxReplicas in ConfigMap external-scaler-sysdig-policies`,
  );
  await says(upTo(500, load), undefined);
});
