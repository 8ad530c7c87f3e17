import type { BenchReport } from '../main.ts';
import { benchMemory, benchReplay } from './history.ts';
import { benchDurableIngest, benchIngest } from './ingest.ts';
import { benchFanOut, benchPushIdle, benchPushUnderLoad } from './pushes.ts';

/** The road from an alert to a push, with the SQLite journal on. */
export async function benchAttacks(): Promise<BenchReport> {
  console.log('From the posting of an alert to a readable true, ms …');
  const idle = await benchPushIdle();
  const fanOut = await benchFanOut();
  console.log('The same with 1,000 streams, 1,000 GetMetrics and 2,000 alerts a second …');
  const loaded = await benchPushUnderLoad();
  const { grpcJs, ...byHttp2 } = fanOut;
  console.table({
    'push, idle': idle,
    'last of 1,000 streams': byHttp2,
    'the same, read by grpc-js': grpcJs,
    'push under load': { ...loaded.push, limitP99: loaded.limitP99 },
    'GetMetrics under load': { ...loaded.getMetrics, limitP99: loaded.limitP99 },
  });
  console.log(`alerts under load: ${JSON.stringify(loaded.alerts)}\n`);

  console.log('Alerts one a request, beside a bare node:http server that parses and drops …');
  const ingest = await benchIngest();
  console.table({ ingest });
  console.log('Alerts in requests of 100, answered when they are on disk …');
  const durable = await benchDurableIngest();
  console.table({ durable });
  console.log('A start on what the journal holds …');
  const replay = await benchReplay();
  const memory = await benchMemory();
  console.table({ replay, memory });

  const missed = [
    ...(idle.p99 > idle.limitP99 ? ['push, idle'] : []),
    ...(fanOut.max > fanOut.limitMs ? ['last of 1,000 streams'] : []),
    ...(loaded.push.p99 > loaded.limitP99 ? ['push under load'] : []),
    ...(loaded.getMetrics.p99 > loaded.limitP99 || loaded.getMetrics.failed > 0
      ? ['GetMetrics under load']
      : []),
    ...(ingest.ratio < ingest.atLeast || ingest.refused > 0 ? ['ingest from memory'] : []),
    ...(durable.alertsPerSecond < durable.atLeast || durable.refused > 0 ? ['durable ingest'] : []),
    ...(replay.ms > replay.limitMs ? ['replay of a million alerts'] : []),
    ...(memory.residentMb > memory.limitMb ? ['memory'] : []),
  ];
  return { results: { idle, fanOut, loaded, ingest, durable, replay, memory }, missed };
}
