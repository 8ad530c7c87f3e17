import test from 'ava';
import { openMetricsOf, startPrometheus } from '#test/harness/prometheus.ts';

test('writes series as OpenMetrics text, in the order of time, escaped', (t) => {
  const text = openMetricsOf([
    {
      name: 'up',
      labels: { job: 'a"b\\c\nd' },
      points: [
        [20, Number.POSITIVE_INFINITY],
        [10, 0.5],
      ],
    },
    { name: 'bare', points: [[1, Number.NaN]] },
  ]);
  t.is(
    text,
    'up{job="a\\"b\\\\c\\nd"} 0.5 10.000\nup{job="a\\"b\\\\c\\nd"} +Inf 20.000\nbare{} NaN 1.000\n# EOF\n',
  );
});

test('answers an instant query with a sample stamped now, and is gone after stop', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const prometheus = await startPrometheus({
    series: [
      {
        name: 'orders',
        labels: { shop: 'north' },
        points: [
          [now - 60, 1],
          [now, 2.5],
        ],
      },
    ],
  });
  t.teardown(() => prometheus.stop());
  const address = `${prometheus.baseUrl}/prometheus/api/v1/query?query=orders`;
  const answer = (await (await fetch(address)).json()) as { data: { result: { value: [number, string] }[] } };
  t.is(answer.data.result[0]?.value[1], '2.5');
  await prometheus.stop();
  await t.throwsAsync(fetch(address));
});

test('starts without any series', async (t) => {
  const prometheus = await startPrometheus({ openMetrics: openMetricsOf([]) });
  t.teardown(() => prometheus.stop());
  t.true((await fetch(`${prometheus.baseUrl}/prometheus/-/ready`)).ok);
});
