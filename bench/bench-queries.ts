import { benchCalls } from './calls.ts';
import { benchEconomy } from './economy.ts';
import { benchLatency } from './latency.ts';
import type { BenchReport } from './main.ts';
import { startSysdig } from './sysdig.ts';

/** The road between KEDA and Sysdig. */
export async function benchQueries(): Promise<BenchReport> {
  const sysdig = await startSysdig();
  console.log('GetMetrics from memory, beside a bare grpc-js server that answers a constant …');
  const calls = await benchCalls(sysdig);
  console.table({ bare: flat(calls.bare), ours: flat(calls.ours) });
  console.log(`CPU per call: ${calls.costRatio.toFixed(2)} of the bare server's (at most ${calls.limit})\n`);

  console.log("Requests to Sysdig in five simulated minutes of KEDA's defaults …");
  const economy = await benchEconomy();
  console.table(economy);

  console.log('While Sysdig is slow …');
  const latency = await benchLatency(sysdig);
  console.table({ warm: latency.warm });
  console.log(
    `cold, Sysdig answering in 5 s: first «${latency.cold.first}», later «${latency.cold.later}»\n`,
  );
  await sysdig.stop();

  const missed = [
    ...(calls.costRatio > calls.limit ? ['GetMetrics costs more than its limit'] : []),
    ...economy
      .filter((one) => one.timesFewer < one.atLeast || one.failed > 0)
      .map(({ title }) => `economy: ${title}`),
    ...(latency.warm.p99 > latency.warm.limitP99 || latency.warm.failed > 0
      ? ['p99 of a warm GetMetrics']
      : []),
    ...(latency.cold.first === 'answered' || latency.cold.later !== 'answered' ? ['a cold question'] : []),
  ];
  return { results: { calls, economy, latency }, missed };
}

function flat({ at25, at3000PerSecond, ...rest }: Awaited<ReturnType<typeof benchCalls>>['ours']): object {
  return {
    ...rest,
    'p50 at 25': at25.p50,
    'p99 at 25': at25.p99,
    'p50 at 3000/s': at3000PerSecond.p50,
    'p99 at 3000/s': at3000PerSecond.p99,
  };
}
