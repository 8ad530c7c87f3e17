import test from 'ava';
import fc from 'fast-check';
import { type RawScaledObject, scaledObject } from '#src/cluster/scaled-object.ts';
import { refusalOf, replicasFor } from '#src/surge/decide-surge.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import type { FalcoTrigger } from '#src/triggers/trigger.ts';

const metadata = { source: 'falco', metric: 'infections', threshold: '1', surge: 'true' };

function facts(changes: Partial<Parameters<typeof replicasFor>[0]> = {}) {
  return { value: 200, target: 10, present: 2, tolerance: 0.1, maxReplicas: 100, cap: 1_000, ...changes };
}

test('jumps to what the HPA would reach, in one step', (t) => {
  t.is(replicasFor(facts()), 20);
  t.is(replicasFor(facts({ value: 22.222, target: 6.111 })), 4);
  t.is(replicasFor(facts({ value: 20.0004, target: 10, present: 1 })), 2);
});

test('never goes above maxReplicaCount or the operator, nor below what is there', (t) => {
  t.is(replicasFor(facts({ maxReplicas: 7 })), 7);
  t.is(replicasFor(facts({ cap: 5 })), 5);
  t.is(replicasFor(facts({ present: 20 })), undefined);
  t.is(replicasFor(facts({ present: 30 })), undefined);
});

test("does nothing within the HPA's tolerance", (t) => {
  t.is(replicasFor(facts({ value: 105, present: 10 })), undefined);
  t.is(replicasFor(facts({ value: 111, present: 10 })), 12);
  t.is(replicasFor(facts({ value: 105, present: 10, tolerance: 0 })), 11);
});

test('whatever the numbers, it only ever raises, and never beyond a bound', (t) => {
  const property = fc.property(
    fc.record({
      value: fc.double({ min: 0, max: 1e6, noNaN: true }),
      target: fc.double({ min: 0.001, max: 1e5, noNaN: true }),
      present: fc.integer({ min: 1, max: 1_000 }),
      tolerance: fc.constantFrom(0, 0.1, 0.5),
      maxReplicas: fc.integer({ min: 1, max: 500 }),
      cap: fc.integer({ min: 1, max: 500 }),
    }),
    (given) => {
      const replicas = replicasFor(given);
      if (replicas === undefined) return true;
      return (
        Number.isInteger(replicas) &&
        replicas > given.present &&
        replicas <= Math.min(given.maxReplicas, given.cap)
      );
    },
  );
  fc.assert(property);
  t.pass();
});

function refusal(
  raw: { annotations?: Record<string, string>; spec?: RawScaledObject['spec'] } = {},
  given: Record<string, string> = metadata,
  trigger: { type?: string; metricType?: string } = {},
): string | undefined {
  const parsed = parseTrigger(
    { namespace: 'shop', name: 'checkout', scalerMetadata: given },
    { cluster: undefined },
  );
  if (parsed.kind !== 'valid') throw parsed.failure;
  const carrier = scaledObject(
    {
      metadata: {
        namespace: 'shop',
        name: 'checkout',
        uid: '1',
        ...(raw.annotations && { annotations: raw.annotations }),
      },
      spec: {
        maxReplicaCount: 50,
        triggers: [{ type: 'external-push', metadata: given, ...trigger }],
        ...raw.spec,
      },
    },
    'ScaledObject',
  );
  return refusalOf(carrier, 0, parsed.trigger as FalcoTrigger);
}

test('surges for a trigger that its ScaledObject carries', (t) => {
  t.is(refusal(), undefined);
  t.is(refusal({}, metadata, { metricType: 'AverageValue', type: 'external' }), undefined);
  const tolerance = {
    advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleUp: { tolerance: '50m' } } } },
  };
  t.is(refusal({ spec: tolerance }), undefined);
});

test('says why it does not', (t) => {
  const pause = 'autoscaling.keda.sh/paused';
  t.regex(
    refusal({ annotations: { [pause]: 'true' } }) ?? '',
    /annotation autoscaling.keda.sh\/paused pauses/,
  );
  t.regex(refusal({ annotations: { [`${pause}-scale-out`]: '' } }) ?? '', /paused-scale-out/);
  t.regex(refusal({ annotations: { [`${pause}-replicas`]: '3' } }) ?? '', /paused-replicas/);
  t.is(refusal({ annotations: { [pause]: 'false' } }), undefined);
  const behavior = { scaleUp: { stabilizationWindowSeconds: 30 } };
  t.regex(
    refusal({ spec: { advanced: { horizontalPodAutoscalerConfig: { behavior } } } }) ?? '',
    /behavior.scaleUp is set/,
  );
  t.regex(refusal({ spec: { advanced: { scalingModifiers: { formula: 'a' } } } }) ?? '', /a formula/);
  t.regex(refusal({}, metadata, { metricType: 'Value' }) ?? '', /expected AverageValue, got Value/);
  t.regex(refusal({}, metadata, { type: 'prometheus' }) ?? '', /carries no such trigger/);
  t.regex(refusal({}, { ...metadata, window: '30s' }) ?? '', /expected at least 1m for a surge.*got 30s/);
  t.regex(refusal({}, { ...metadata, rulesFromEnv: 'RULES' }) ?? '', /rulesFromEnv is known to KEDA only/);
  const { maxReplicaCount: _, ...unbounded } = {
    maxReplicaCount: 1,
    triggers: [{ type: 'external', metadata }],
  };
  const carrier = scaledObject({ spec: unbounded }, 'ScaledObject');
  const parsed = parseTrigger(
    { namespace: 'shop', name: 'checkout', scalerMetadata: metadata },
    { cluster: undefined },
  );
  if (parsed.kind !== 'valid') throw parsed.failure;
  t.regex(refusalOf(carrier, 0, parsed.trigger as FalcoTrigger) ?? '', /maxReplicaCount is not set/);
});
