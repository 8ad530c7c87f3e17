import test from 'ava';
import { Registry } from 'prom-client';
import { tallyCounter } from '#src/operations/tally-counter.ts';

test('what was counted between two scrapes is added up, by both labels', async (t) => {
  const registry = new Registry();
  const count = tallyCounter({
    name: 'things_total',
    help: 'Things.',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  });
  const scrape = async () =>
    (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#') && line);
  t.deepEqual(await scrape(), []);
  count('a', 'good', 1);
  count('a', 'good', 2);
  count('a', 'bad', 1);
  count('b', 'good', 4);
  t.deepEqual(await scrape(), [
    'things_total{kind="a",outcome="good"} 3',
    'things_total{kind="a",outcome="bad"} 1',
    'things_total{kind="b",outcome="good"} 4',
  ]);
  count('a', 'good', 10);
  t.is((await scrape())[0], 'things_total{kind="a",outcome="good"} 13');
});
