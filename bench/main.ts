// Measures on this machine, side by side in one run: a table for people, then JSON.
import { benchCalls } from './calls.ts';
import { benchEconomy } from './economy.ts';
import { benchLatency } from './latency.ts';
import { startSysdig } from './sysdig.ts';

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
console.log(`cold, Sysdig answering in 5 s: first «${latency.cold.first}», later «${latency.cold.later}»\n`);

await sysdig.stop();
console.log(JSON.stringify({ node: process.version, calls, economy, latency }, null, 2));

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
for (const one of missed) console.error(`missed: ${one}`);
process.exitCode = missed.length > 0 ? 1 : 0;

function flat({ at25, at3000PerSecond, ...rest }: Awaited<ReturnType<typeof benchCalls>>['ours']): object {
  return {
    ...rest,
    'p50 at 25': at25.p50,
    'p99 at 25': at25.p99,
    'p50 at 3000/s': at3000PerSecond.p50,
    'p99 at 3000/s': at3000PerSecond.p99,
  };
}
