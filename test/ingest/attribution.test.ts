import test from 'ava';
import type { FoundPod } from '#src/alerts/alert.ts';
import { Subjects } from '#src/alerts/subjects.ts';
import { Attribution, type PodAtTime } from '#src/ingest/attribution.ts';
import type { Entry } from '#src/journal/entry.ts';
import { alertOf } from '#test/harness/alert-of.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { entry, start } from '#test/journal/journal-entries.ts';

const found: FoundPod = { uid: 'uid-1', owners: [{ kind: 'deployment', name: 'checkout' }] };

function setUp(recall: (pod: PodAtTime) => FoundPod | 'absent' | undefined) {
  const clock = new ManualClock();
  const written: Entry[][] = [];
  const asked: { pod: PodAtTime; answer: (found: FoundPod | undefined) => void; fail: () => void }[] = [];
  const pods = {
    recall,
    find: (pod: PodAtTime) =>
      new Promise<FoundPod | undefined>((answer, reject) => {
        asked.push({ pod, answer, fail: () => reject(new Error('the API server is away')) });
      }),
  };
  const records = {
    backlog: 0,
    async record(entries: readonly Entry[]) {
      written.push([...entries]);
    },
  };
  const attribution = new Attribution({ pods, records, subjects: new Subjects(), clock });
  const uids = () => written.map((entries) => entries.map((one) => alertOf(one).found?.uid));
  return { attribution, written, asked, clock, uids };
}

test('what is known is written down at once, with its pod', async (t) => {
  const { attribution, uids, written } = setUp(({ name }) => (name === 'a' ? found : 'absent'));
  await attribution.record([entry('a'), entry('b')]);
  t.deepEqual(uids(), [['uid-1', undefined]]);
  await attribution.record([entry('a')]);
  t.is(written[0]?.[0]?.subject, written[1]?.[0]?.subject, 'expected one object for one subject');
});

test('the first alert about a pod waits for the cluster; others do not wait with it', async (t) => {
  const { attribution, asked, uids } = setUp(({ name }) => (name === 'known' ? found : undefined));
  const recorded = attribution.record([entry('new', start, 2), entry('known'), entry('new', start + 100)]);
  t.deepEqual(uids(), [['uid-1']]);
  t.is(attribution.backlog, 2);
  t.is(asked.length, 1);
  asked[0]?.answer({ ...found, uid: 'uid-2' });
  await recorded;
  t.deepEqual(uids(), [['uid-1'], ['uid-2', 'uid-2']]);
  t.is(attribution.backlog, 0);
});

test('a cluster that cannot tell, or not in time, costs the pod and not the alert', async (t) => {
  const { attribution, asked, clock, uids } = setUp(() => undefined);
  const failed = attribution.record([entry('a')]);
  asked[0]?.fail();
  const late = attribution.record([entry('b')]);
  await clock.advance(250);
  await Promise.all([failed, late]);
  t.deepEqual(uids(), [[undefined], [undefined]]);
});

test('a cluster that cannot tell is asked again for a while', async (t) => {
  const { attribution, asked, clock, uids } = setUp(() => undefined);
  const recorded = attribution.record([entry('a')]);
  asked[0]?.fail();
  await clock.advance(0);
  await clock.advance(1_000);
  await recorded;
  t.is(asked.length, 2);
  asked[1]?.fail();
  await clock.advance(0);
  await clock.advance(4_000);
  asked[2]?.answer(found);
  await clock.advance(0);
  t.deepEqual(uids(), [[undefined], ['uid-1']]);
});

test('an answer that comes too late is written down all the same, and counts no alert twice', async (t) => {
  const { attribution, asked, clock, uids, written } = setUp(() => undefined);
  const late = attribution.record([entry('a', start, 3)]);
  await clock.advance(250);
  await late;
  asked[0]?.answer(found);
  await clock.advance(0);
  t.deepEqual(uids(), [[undefined], ['uid-1']]);
  t.deepEqual(
    written.map(([one]) => one?.count),
    [3, 0],
  );
});
