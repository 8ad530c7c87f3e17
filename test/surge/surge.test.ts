import test from 'ava';
import type { ClusterWorkload, Scale } from '#src/cluster/objects.ts';
import { type ScaledObject, scaledObject } from '#src/cluster/scaled-object.ts';
import type { Sample } from '#src/sources/source.ts';
import { Surge } from '#src/surge/surge.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { silentLog } from '#test/harness/silent-log.ts';

const metadata = { source: 'falco', metric: 'infections', threshold: '1', surge: 'true' };

function carrier(changes: object = {}): ScaledObject {
  const spec = { maxReplicaCount: 50, triggers: [{ type: 'external-push', metadata }], ...changes };
  return scaledObject({ metadata: { namespace: 'shop', name: 'checkout', uid: 'so' }, spec }, 'ScaledObject');
}

function setUp(
  world: { value?: number; replicas?: number; elected?: boolean; paused?: string; off?: string } = {},
) {
  const clock = new ManualClock();
  const state = {
    value: 20,
    replicas: 2,
    elected: true,
    paused: undefined as string | undefined,
    conflicts: 0,
    ...world,
  };
  const set: number[] = [];
  const events: string[] = [];
  const outcomes: string[] = [];
  const alerted: ((at: number) => void)[] = [];
  let known = [carrier()];
  const changed: ((now: ScaledObject, isGone: boolean) => void)[] = [];
  const surge = new Surge({
    scaledObjects: {
      all: () => known,
      get: () => known[0],
      onChange(listener) {
        changed.push(listener);
        return () => {};
      },
      fresh: async () => known[0],
    },
    objects: {
      read: async () => ({ labels: {} }) as unknown as ClusterWorkload,
      scale: async (): Promise<Scale> => ({
        replicas: state.replicas,
        selector: undefined,
        resourceVersion: '1',
      }),
      async setScale(_, __, { replicas }) {
        if (state.conflicts-- > 0) return false;
        state.replicas = replicas;
        set.push(replicas);
        return true;
      },
    },
    switches: { setFor: async () => state.paused },
    events: { write: async (_, { reason, message }) => void events.push(`${reason}: ${message}`) },
    source: {
      measure: () => ({ value: state.value }) as Sample,
      watchAlerts(_, onAlert, signal) {
        alerted.push(onAlert);
        signal.addEventListener('abort', () => alerted.splice(alerted.indexOf(onAlert), 1));
      },
      newestAlertAt: () => undefined,
    },
    parse: (ref) => parseTrigger(ref, { cluster: undefined }),
    mayAct: () => state.elected,
    off: world.off,
    maxReplicas: 1_000,
    maxAlertAgeMs: 60_000,
    observer: { surged: (outcome) => void outcomes.push(outcome) },
    clock,
    log: silentLog,
  });
  surge.start();
  const alert = (at = clock.now()) => {
    for (const tell of alerted) tell(at);
  };
  const edit = (now: ScaledObject) => {
    known = [now];
    for (const tell of changed) tell(now, false);
  };
  return { surge, clock, state, set, events, outcomes, alert, alerted, edit };
}

test('gathers what comes within a tenth of a second, then rises at most once a second', async (t) => {
  const { clock, state, set, alert } = setUp();
  for (let n = 0; n < 20; n++) alert();
  await clock.advance(99);
  t.deepEqual(set, []);
  await clock.advance(1);
  t.deepEqual(set, [20]);
  state.value = 30;
  alert();
  await clock.advance(500);
  t.deepEqual(set, [20]);
  await clock.advance(500);
  t.deepEqual(set, [20, 30]);
});

test('old alerts, and replicas that do not act, cause nothing', async (t) => {
  const { clock, state, set, alert } = setUp();
  alert(clock.now() - 60_001);
  await clock.advance(2_000);
  state.elected = false;
  alert();
  await clock.advance(2_000);
  t.deepEqual(set, []);
});

test('decides again when somebody else has written', async (t) => {
  const { clock, state, set, alert, outcomes } = setUp();
  state.conflicts = 3;
  alert();
  await clock.advance(200);
  t.deepEqual(set, [20]);
  t.deepEqual(outcomes, ['raised']);
});

test('waits for the first replica of a workload that KEDA has just woken', async (t) => {
  const { clock, state, set, alert } = setUp({ replicas: 0 });
  alert();
  await clock.advance(200);
  t.deepEqual(set, []);
  state.replicas = 1;
  await clock.advance(300);
  t.deepEqual(set, [20]);
});

test('says once why it does nothing, and acts as soon as that has changed', async (t) => {
  const { clock, set, events, alert, alerted, edit } = setUp();
  edit(carrier({ maxReplicaCount: undefined }));
  edit(carrier({ maxReplicaCount: undefined }));
  t.is(alerted.length, 0);
  t.deepEqual(events, [
    'SurgeRefused: surge: "true" does nothing: maxReplicaCount is not set; say how far it may grow',
  ]);
  edit(carrier());
  alert();
  await clock.advance(200);
  t.deepEqual(set, [20]);
});

test('a switch stops it, and so does the operator', async (t) => {
  const { clock, set, events, alert } = setUp({ paused: 'namespace shop has the label' });
  alert();
  await clock.advance(2_000);
  t.deepEqual(set, []);
  t.regex(events.join(), /SurgeRefused: .* namespace shop has the label/);
  t.regex(setUp({ off: 'surge is off' }).events.join(), /surge is off/);
});
