import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { workload } from '#e2e/harness/manifests.ts';
import { infect, optedIn, reaping, rule, settleMs } from '#e2e/harness/reaping.ts';

test('a burst of alerts for 200 workloads disarms the rule, until somebody arms it again', async (t) => {
  const story = await openCase(t, 'burst');
  const scaler = await story.startScaler(reaping);
  const names = Array.from({ length: 200 }, (_, n) => `service-${n}`);
  await Promise.all(names.map((name) => story.apply(workload(name, { replicas: 2, labels: optedIn }))));
  const pods = await story.until('400 pods', async () => {
    const found = await story.api.list('v1', 'Pod', story.namespace);
    return found.length === 400 && found.every(({ spec }) => spec.nodeName) && found;
  });
  await infect(story, scaler, pods);
  const line = await story.until('the rule is disarmed', () =>
    scaler.lines.find((one) => one.includes('the rule is disarmed')),
  );
  t.regex(line, /at most 20 of 5 are believed/);
  await pause(settleMs);
  const reaped = await story.metric(scaler, 'external_scaler_reaper_reaps_total{how="evicted"}');
  // What trickles in is believed up to five workloads; none after the sixth.
  t.true(reaped <= 5, `${reaped} were reaped`);
  t.true((await story.status(scaler))['cluster'].disarmed[rule] !== undefined);
  const rearm = () =>
    fetch(`${scaler.operations}/rearm?rule=${encodeURIComponent(rule)}`, { method: 'POST' });
  t.is((await rearm()).status, 200);
  t.is((await rearm()).status, 404);
});
