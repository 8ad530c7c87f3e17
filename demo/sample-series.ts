import { promqlName } from '#src/sources/sysdig/metric-names.ts';
import type { RecordedSeries } from '#test/harness/prometheus.ts';

const stepSeconds = 10;

/**
 * What the workloads of examples/ would send, from ten minutes ago until `hours` from now: load that swings between
 * calm and busy within four minutes, so that something can be seen to happen.
 */
export function sampleSeries(nowSeconds: number, hours: number): RecordedSeries[] {
  const times = Array.from(
    { length: (hours * 3600 + 600) / stepSeconds },
    (_, index) => Math.floor(nowSeconds) - 600 + index * stepSeconds,
  );
  const swing = (time: number) => (1 + Math.sin((2 * Math.PI * (time - nowSeconds)) / 240)) / 2;
  const workload = (name: string) => ({
    kube_cluster_name: 'demo',
    kube_namespace_name: 'shop',
    kube_workload_name: name,
    kube_workload_type: 'deployment',
  });
  let requests = 0;
  return [
    {
      name: 'http_requests_total',
      labels: { ...workload('payments'), kube_pod_name: 'payments-1' },
      points: times.map((time, index): [number, number] => [time, index * stepSeconds * 250]),
    },
    ...['checkout-1', 'checkout-2'].map((pod) => ({
      name: 'http_requests_total',
      labels: { ...workload('checkout'), kube_pod_name: pod },
      points: times.map((time): [number, number] => {
        requests += stepSeconds * Math.round(600 * swing(time) ** 2);
        return [time, requests];
      }),
    })),
    ...['cart-1', 'cart-2', 'cart-3'].map((pod, index) => ({
      name: promqlName('jvm.heap.used'),
      labels: { ...workload('cart'), kube_pod_name: pod },
      points: times.map((time): [number, number] => [
        time,
        Math.round(1.5e8 + 2.5e8 * swing(time + 20 * index)),
      ]),
    })),
    {
      name: 'kube_deployment_status_replicas_available',
      labels: { kube_cluster_name: 'demo', kube_namespace_name: 'shop', kube_deployment_name: 'checkout' },
      points: times.map((time): [number, number] => [time, 2 + Math.round(10 * swing(time) ** 2)]),
    },
  ];
}
