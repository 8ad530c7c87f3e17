import test, { type ExecutionContext } from 'ava';
import { Broker } from '#src/sources/sysdig/broker/broker.ts';
import type { Question } from '#src/sources/sysdig/question.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import {
  obliging,
  ofWorkload,
  ScriptedUpstream,
  silentObserver,
  written,
} from '#test/sources/sysdig/broker/upstreams.ts';

const minutes = 5;
const startUpMs = 5_000;

interface Economy {
  readonly perMinute: number;
  readonly waits: number;
  readonly calls: number;
}

/** KEDA's defaults: a poll (GetMetrics, IsActive) every 30 s and an HPA sync (the same) every 15 s, begun within seconds. */
async function simulate(t: ExecutionContext, questions: Question[], latencyMs: number): Promise<Economy> {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, obliging());
  upstream.delayMs = latencyMs;
  const broker = new Broker({ upstream, clock, observer: silentObserver });
  t.teardown(() => broker.close());
  const start = clock.now();
  const calls = questions
    .flatMap((question, index) => {
      const phase = Math.floor((index * startUpMs) / questions.length);
      const times = (everyMs: number, firstMs: number) =>
        Array.from({ length: (minutes * 60_000) / everyMs }, (_, turn) => turn * everyMs + firstMs + phase);
      return [...times(30_000, 0), ...times(15_000, 2_000)].flatMap((at) => [
        { at, question },
        { at: at + 5, question },
      ]);
    })
    .filter(({ at }) => at < minutes * 60_000)
    .sort((a, b) => a.at - b.at);
  let waits = 0;
  for (const { at, question } of calls) {
    const behind = start + at - clock.now();
    if (behind > 0) await clock.advance(behind);
    const answer = broker.ask(question, 10_000);
    if (answer instanceof Promise) {
      waits++;
      answer.catch((thrown) => t.fail(String(thrown)));
    }
  }
  await clock.advance(start + minutes * 60_000 - clock.now());
  const economy = { perMinute: upstream.asked.length / minutes, waits, calls: calls.length };
  t.log(`latency ${latencyMs} ms: ${JSON.stringify(economy)}`);
  return economy;
}

for (const latencyMs of [50, 1_500]) {
  test(`64 equal questions cost at most 7 requests a minute (Sysdig answers in ${latencyMs} ms)`, async (t) => {
    const questions = Array.from({ length: 64 }, (_, index) => written('sum(a)', { namespace: `n${index}` }));
    const { perMinute } = await simulate(t, questions, latencyMs);
    t.true(perMinute <= 7);
  });

  test(`64 different queries cost at most 45 requests a minute (Sysdig answers in ${latencyMs} ms)`, async (t) => {
    const questions = Array.from({ length: 64 }, (_, index) => written(`sum(metric_${index})`));
    const { perMinute } = await simulate(t, questions, latencyMs);
    t.true(perMinute <= 45);
  });

  test(`1,000 workloads of one metric cost at most 12 requests a minute (Sysdig answers in ${latencyMs} ms)`, async (t) => {
    const questions = Array.from({ length: 1000 }, (_, index) =>
      ofWorkload({ workload: `web-${index}`, namespace: `team-${index % 20}` }),
    );
    const { perMinute, waits } = await simulate(t, questions, latencyMs);
    t.true(perMinute <= 12);
    t.true(waits <= 2_000 * Math.ceil(latencyMs / 1_000), 'only the start waits');
  });
}
