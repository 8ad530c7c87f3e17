import test from 'ava';
import { openExample } from '#e2e/harness/example.ts';

test('sysdig: the API server takes the Ingress', async (t) => {
  const example = await openExample(t, 'sysdig');
  const { api } = example.story;
  t.teardown(() => api.delete('networking.k8s.io/v1', 'Ingress', 'keda', 'external-scaler-sysdig-ingest'));
  await t.notThrowsAsync(example.apply());
});
