import test from 'ava';
import { scaledObject } from '#src/cluster/scaled-object.ts';
import { carries, forbiddenBy } from '#src/triggers/carried-trigger.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';

const falco = { scalerAddress: 'scaler:6000', source: 'falco', metric: 'infections', threshold: '1' };
const sysdig = { scalerAddress: 'scaler:6000', source: 'sysdig', query: 'sum(load)', threshold: '100' };

function carrier(
  triggers: { type?: string; metadata: Record<string, string>; metricType?: string }[],
  formula = '',
) {
  const advanced = formula === '' ? {} : { scalingModifiers: { formula } };
  const spec = { triggers: triggers.map((one) => ({ type: 'external', ...one })), advanced };
  return scaledObject({ metadata: { namespace: 'shop', name: 'checkout' }, spec }, 'ScaledObject');
}

function ref(scalerMetadata: Record<string, string>) {
  return { namespace: 'shop', name: 'checkout', scalerMetadata };
}

function parsed(metadata: Record<string, string>) {
  const { scalerAddress: _, ...own } = metadata;
  const trigger = parseTrigger(ref(own), { cluster: undefined });
  if (trigger.kind !== 'valid') throw trigger.failure;
  return trigger.trigger;
}

test('a trigger is carried when all that it says stands in the ScaledObject, and nothing else', (t) => {
  const of = carrier([{ metadata: sysdig }, { metadata: falco }]);
  t.true(carries(of, ref(falco)));
  t.false(carries(of, ref({ ...falco, threshold: '0.1' })));
  t.false(carries(of, ref({ ...falco, surge: 'true' })));
  const { threshold: _, ...less } = falco;
  t.false(carries(of, ref(less)));
  t.false(carries(carrier([{ type: 'prometheus', metadata: falco }]), ref(falco)));
});

test('what KEDA resolves is not compared, as only KEDA knows it', (t) => {
  const of = carrier([{ metadata: { ...sysdig, accountFromEnv: 'TEAM' } }]);
  t.true(carries(of, ref({ ...sysdig, accountFromEnv: 'team-a' })));
  t.true(carries(of, ref(sysdig)));
});

test('metricType Value is refused for attacks, and only for the trigger that has it', (t) => {
  const of = carrier([
    { metadata: falco, metricType: 'Value' },
    { metadata: sysdig, metricType: 'Value' },
  ]);
  t.regex(forbiddenBy(of, parsed(falco)) ?? '', /metricType: expected AverageValue .* got Value/);
  t.is(forbiddenBy(of, parsed(sysdig)), undefined);
  t.is(forbiddenBy(of, parsed({ ...falco, metric: 'alerts' })), undefined);
});

test('metricType Value is refused for a trigger whose keys KEDA resolves, as it may be about attacks', (t) => {
  const { metric: _, ...rest } = falco;
  const { source: __, ...unknown } = falco;
  for (const metadata of [
    { ...rest, metricFromEnv: 'METRIC' },
    { ...unknown, sourceFromEnv: 'SOURCE' },
  ]) {
    const of = carrier([{ metadata, metricType: 'Value' }]);
    t.regex(forbiddenBy(of, parsed(falco)) ?? '', /got Value/);
  }
  const { query: ___, ...load } = sysdig;
  const of = carrier([{ metadata: { ...load, queryFromEnv: 'QUERY' }, metricType: 'Value' }]);
  t.is(forbiddenBy(of, parsed(falco)), undefined);
});

test('thresholdUnderAttack beside scaling modifiers is refused', (t) => {
  const tightened = { ...sysdig, thresholdUnderAttack: '50' };
  t.regex(
    forbiddenBy(carrier([{ metadata: tightened }], 'a + b'), parsed(tightened)) ?? '',
    /has no effect beside/,
  );
  t.is(forbiddenBy(carrier([{ metadata: tightened }]), parsed(tightened)), undefined);
  t.is(forbiddenBy(carrier([{ metadata: sysdig }], 'a + b'), parsed(sysdig)), undefined);
});
