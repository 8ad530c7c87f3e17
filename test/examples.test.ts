import test from 'ava';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import { chooseReplicas } from '../demo/hpa.ts';
import { readScaledObjects } from '../demo/scaled-objects.ts';

const objects = readScaledObjects('examples/**/*.yaml');

test('there are examples', (t) => t.true(objects.length >= 3));

for (const { file, namespace, name, triggers } of objects) {
  test(`${file} is valid`, (t) => {
    for (const { metadata } of triggers) {
      const parsed = parseTrigger({ namespace, name, scalerMetadata: metadata }, { cluster: undefined });
      t.is(parsed.kind === 'valid' ? '' : parsed.failure.message, '');
    }
  });
}

const bounds = { min: 0, max: 10 };

test('replicas are chosen as an HPA would', (t) => {
  const metricType = 'AverageValue';
  // KEDA's own end-to-end figures.
  t.is(chooseReplicas({ value: 10, target: 10, metricType }, 0, bounds), 1);
  t.is(chooseReplicas({ value: 20, target: 10, metricType }, 1, bounds), 2);
  t.is(chooseReplicas({ value: 22.222, target: 6.111, metricType }, 1, bounds), 4);
  t.is(chooseReplicas({ value: 22.222, target: 6.111, metricType }, 1, { min: 0, max: 3 }), 3);
  t.is(chooseReplicas({ value: 105, target: 10, metricType }, 10, { min: 0, max: 20 }), 10);
  t.is(chooseReplicas({ value: 90, target: 60, metricType: 'Value' }, 4, bounds), 6);
});
