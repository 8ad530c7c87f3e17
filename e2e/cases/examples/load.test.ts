import test from 'ava';
import { replicasSince, untilMeasured } from '#e2e/harness/autoscaler.ts';
import { cluster, openExample } from '#e2e/harness/example.ts';

/** A rate over a minute is whole after a minute, and the HPA takes a few syncs to follow. */
const followMs = 180_000;

test('http-requests: 480 requests per second are five replicas, and none are none', async (t) => {
  const example = await openExample(t, 'http-requests');
  const { story } = example;
  example.load('checkout', 480);
  await example.apply();
  await story.untilReady('checkout');
  await story.untilReplicas('checkout', 5, followMs);
  t.true(replicasSince(story, 'checkout', 0).every((replicas) => replicas <= 5));
  await story.readyPods('checkout', 5);
  example.load('checkout', 0);
  await story.untilReplicas('checkout', 0, followMs);
});

test('jvm-and-friends: 900 MB of heap are five carts, 250 requests per second three catalogs', async (t) => {
  const example = await openExample(t, 'jvm-and-friends');
  const { story, sysdig } = example;
  const heap = (pod: number) => `jvm_heap_used{${example.labels('cart')},kube_pod_name="cart-${pod}"}`;
  await sysdig.set(heap(1), 500e6);
  await sysdig.set(heap(2), 400e6);
  // A sample a second, each of what came in that second.
  const native = (metric: string) => `sysdig_container_${metric}{${example.labels('catalog')}}`;
  await sysdig.set(native('net_http_request_count'), 250);
  await sysdig.set(native('cpu_cores_used'), 0.9);
  await example.apply();
  await story.untilReplicas('cart', 5, followMs);
  await story.untilReplicas('catalog', 3, followMs);
  await untilMeasured(story, 'catalog');
  // Two cores in use are more than the requests call for.
  await sysdig.set(native('cpu_cores_used'), 20);
  await story.untilReplicas('catalog', 10, followMs);
  t.true(replicasSince(story, 'cart', 0).every((replicas) => replicas <= 5));
});

test('follow-another-workload: ten available checkouts call for four caches', async (t) => {
  const example = await openExample(t, 'follow-another-workload');
  const { story, sysdig } = example;
  await example.apply('http-requests');
  // The application is scaled by hand here.
  await story.api.delete('keda.sh/v1alpha1', 'ScaledObject', story.namespace, 'checkout');
  const available = `kube_deployment_status_replicas_available{kube_cluster_name="${cluster}",kube_namespace_name="${story.namespace}",kube_deployment_name="checkout"}`;
  const scaleTo = async (replicas: number) => {
    const metadata = { name: 'checkout', namespace: story.namespace };
    await story.api.merge({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas } });
    await story.until(`${replicas} available checkouts`, async () => {
      const deployment = await story.get('Deployment', 'checkout', 'apps/v1');
      return deployment?.['status']?.availableReplicas === replicas;
    });
    await sysdig.set(available, replicas);
  };
  await scaleTo(3);
  await example.apply();
  await untilMeasured(story, 'cache');
  t.is(story.replicas.now('cache'), 1);
  await scaleTo(10);
  await story.untilReplicas('cache', 4, followMs);
  t.is(story.replicas.now('cache-leader'), 1);
});
