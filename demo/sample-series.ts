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
  const requests = (name: string, perSecond: (time: number) => number): RecordedSeries => {
    let count = 0;
    return {
      name: 'http_requests_total',
      labels: { ...workload(name), kube_pod_name: `${name}-1` },
      points: times.map((time): [number, number] => {
        count += stepSeconds * Math.round(perSecond(time));
        return [time, count];
      }),
    };
  };
  const native = (metric: string, value: (time: number) => number): RecordedSeries => ({
    name: promqlName(metric),
    labels: { ...workload('catalog'), kube_pod_name: 'catalog-1' },
    points: times.map((time): [number, number] => [time, value(time)]),
  });
  return [
    requests('payments', () => 250),
    requests('login', () => 280),
    requests('checkout', (time) => 1_200 * swing(time) ** 2),
    requests('podlist', (time) => 180 * swing(time)),
    // Sysdig's own counts are what came since the sample before.
    native('net.http.request.count', (time) => stepSeconds * Math.round(600 * swing(time))),
    native('cpu.cores.used', (time) => 0.2 + 2 * swing(time)),
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
