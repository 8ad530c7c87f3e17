import test from 'ava';
import { type RawScaledObject, scaledObject, trimScaledObject } from '#src/cluster/scaled-object.ts';

test('what is scaled is a Deployment unless it says otherwise; a ScaledJob is that itself', (t) => {
  const of = (scaleTargetRef: { apiVersion?: string; kind?: string; name?: string }) =>
    scaledObject({ metadata: { name: 'checkout' }, spec: { scaleTargetRef } }, 'ScaledObject').target;
  t.deepEqual(of({ name: 'web' }), { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' });
  t.deepEqual(of({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'web' }), {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    name: 'web',
  });
  t.deepEqual(scaledObject({ metadata: { name: 'train' } }, 'ScaledJob').target, {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    name: 'train',
  });
});

test("reads the HPA's tolerance as Kubernetes writes quantities", (t) => {
  const of = (scaleUp: Record<string, unknown>) => {
    const spec = { advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleUp } } } };
    const { scaleUpTolerance, limitsScaleUp } = scaledObject({ spec }, 'ScaledObject');
    return [scaleUpTolerance, limitsScaleUp];
  };
  t.deepEqual(of({ tolerance: '50m' }), [0.05, false]);
  t.deepEqual(of({ tolerance: '0.2' }), [0.2, false]);
  t.deepEqual(of({ tolerance: 0 }), [0, false]);
  t.deepEqual(of({ tolerance: 'rubbish' }), [0.1, false]);
  t.deepEqual(of({ selectPolicy: 'Max' }), [0.1, true]);
  t.is(scaledObject({}, 'ScaledObject').scaleUpTolerance, 0.1);
});

test('what nobody reads is taken out', (t) => {
  const raw: RawScaledObject = {
    metadata: {
      name: 'checkout',
      managedFields: [{}],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' },
    },
    spec: { maxReplicaCount: 5 },
    status: { conditions: [] },
  };
  trimScaledObject(raw);
  t.deepEqual(raw, {
    metadata: { name: 'checkout', annotations: { kept: 'yes' } },
    spec: { maxReplicaCount: 5 },
  });
});
