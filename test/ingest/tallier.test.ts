import test from 'ava';
import { Subjects } from '#src/alerts/subjects.ts';
import { LastingRecords } from '#src/ingest/records.ts';
import { Tallier } from '#src/ingest/tallier.ts';
import type { Entry } from '#src/journal/entry.ts';
import { alertOf } from '#test/harness/alert-of.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { subject } from '#test/journal/journal-entries.ts';

function setUp() {
  const clock = new ManualClock();
  const recorded: Entry[][] = [];
  const records = {
    backlog: 0,
    async record(entries: readonly Entry[]) {
      recorded.push([...entries]);
    },
  };
  const tallier = new Tallier(new LastingRecords(records), clock);
  const told = () =>
    recorded.map((entries) => entries.map((one) => `${alertOf(one).pod}×${one.count}`).join(' '));
  return { clock, tallier, told };
}

test('the first alert of a subject is recorded at once, the rest of the tick together at its end', async (t) => {
  const { clock, tallier, told } = setUp();
  const at = clock.now();
  for (let alert = 0; alert < 5; alert++) tallier.add(subject('a'), at);
  tallier.add(subject('b'), at);
  t.deepEqual(told(), ['a×1', 'b×1']);
  await clock.advance(100);
  t.deepEqual(told(), ['a×1', 'b×1', 'a×4']);
  tallier.add(subject('a'), clock.now());
  t.deepEqual(told().at(-1), 'a×1', 'a new tick has a new first');
});

test('alerts of one tick of arrival from different times are different', (t) => {
  const { clock, tallier, told } = setUp();
  tallier.add(subject('a'), clock.now());
  tallier.add(subject('a'), clock.now() - 5_000);
  t.deepEqual(told(), ['a×1', 'a×1']);
});

test('a drain waits for no tick, and a clock that is set back holds nothing back', async (t) => {
  const { clock, tallier, told } = setUp();
  const at = clock.now();
  tallier.add(subject('a'), at);
  tallier.add(subject('a'), at);
  await tallier.flush();
  t.deepEqual(told(), ['a×1', 'a×1']);
});

test('one object stands for one subject, and hostile texts are never taken for each other', (t) => {
  const subjects = new Subjects(10);
  const { kind: _, ...parts } = subject('a');
  t.is(subjects.intern(parts), subjects.intern({ ...parts, tags: [...parts.tags] }));
  const texts = ['', '/', 'a/b', 'a\0b', '__proto__', '\ud800', 'constructor'];
  const made = texts.flatMap((rule) => texts.map((source) => subjects.intern({ ...parts, rule, source })));
  t.is(new Set(made.map((one) => JSON.stringify([one.rule, one.source]))).size, texts.length ** 2);
  t.is(subjects.intern({ ...parts, rule: 'x'.repeat(10) }).rule, 'x'.repeat(10));
});
