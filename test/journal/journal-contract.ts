import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Entry } from '#src/journal/entry.ts';
import type { Follower, Journal } from '#src/journal/journal.ts';
import { Recorder } from '#src/journal/recorder.ts';
import { floorTo, stepOf } from '#src/journal/resolution.ts';
import { alertOf } from '#test/harness/alert-of.ts';
import { entry, start, subject, writer } from '#test/journal/journal-entries.ts';

const hour = 3_600_000;

/** How a journal is made for a test; bounds that are not given are wide. */
export interface JournalMaker {
  readonly name: string;
  open(t: ExecutionContext, bounds?: { retentionMs?: number; maxBytes?: number }): Promise<Journal>;
  /** Closes it and opens what it left; undefined where nothing outlives it. */
  reopen?(t: ExecutionContext, journal: Journal): Promise<Journal>;
}

/** Everything that a follower is given, until the test ends. */
export async function followed(t: ExecutionContext, journal: Journal, from?: string) {
  const ending = new AbortController();
  t.teardown(() => ending.abort());
  const entries: Entry[] = [];
  const positions: string[] = [];
  const follower: Follower = (more, position) => {
    entries.push(...more.map((one) => ({ ...one })));
    positions.push(position);
  };
  await journal.follow(follower, { from, signal: ending.signal });
  return { entries, positions, stop: () => ending.abort() };
}

function named(entries: readonly Entry[]): string[] {
  return entries.map((entry) => `${alertOf(entry).pod}×${entry.count}`);
}

/** The sum per subject and step at this age. */
function sums(entries: readonly Entry[], stepMs: number, from: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const { subject: of, at, count } of entries) {
    if (at < from) continue;
    const key = `${JSON.stringify(of)} ${floorTo(stepMs, at)}`;
    found.set(key, (found.get(key) ?? 0) + count);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What every journal must do. */
export function testJournal({ name, open, reopen }: JournalMaker): void {
  test(`${name}: gives a follower what was there before, then what comes, in order`, async (t) => {
    const journal = await open(t);
    const recorder = new Recorder(journal, writer);
    recorder.record([entry('a'), entry('b')]);
    const { entries } = await followed(t, journal);
    recorder.record([entry('c')]);
    t.deepEqual(named(entries), ['a×1', 'b×1', 'c×1']);
    t.deepEqual(entries[0], entry('a'));
  });

  test(`${name}: hands on at once what it is given, before it is durable`, async (t) => {
    const journal = await open(t);
    const { entries } = await followed(t, journal);
    const durable = new Recorder(journal, writer).record([entry('a')]);
    t.deepEqual(named(entries), ['a×1']);
    await durable;
    t.is(journal.backlog, 0);
  });

  test(`${name}: a follower that comes back goes on where it was`, async (t) => {
    const journal = await open(t);
    const recorder = new Recorder(journal, writer);
    const first = await followed(t, journal);
    recorder.record([entry('a')]);
    recorder.record([entry('b'), entry('c')]);
    first.stop();
    recorder.record([entry('d')]);
    await recorder.record([entry('e')]);
    t.deepEqual(named(first.entries), ['a×1', 'b×1', 'c×1']);
    for (const [index, missed] of [
      [0, ['b×1', 'c×1', 'd×1', 'e×1']],
      [1, ['d×1', 'e×1']],
    ] as const) {
      const later = await followed(t, journal, first.positions[index]);
      t.deepEqual(named(later.entries), [...missed]);
    }
  });

  test(`${name}: takes nothing twice`, async (t) => {
    const journal = await open(t);
    const { entries } = await followed(t, journal);
    const batch = { writer, sequence: 1, entries: [entry('a'), entry('b')] };
    await journal.append(batch);
    await journal.append(batch);
    await journal.append({ writer, sequence: 2, entries: [entry('b'), entry('c')] });
    await journal.append({ writer: { ...writer, epoch: 2 }, sequence: 1, entries: [entry('d')] });
    t.deepEqual(named(entries), ['a×1', 'b×1', 'c×1', 'd×1']);
    t.deepEqual(named((await followed(t, journal)).entries), ['a×1', 'b×1', 'c×1', 'd×1']);
  });

  test(`${name}: forgets what is older than its retention`, async (t) => {
    const journal = await open(t, { retentionMs: hour });
    const recorder = new Recorder(journal, writer);
    await recorder.record([entry('old', start)]);
    await recorder.record([entry('new', start + hour)]);
    await journal.compact(start + hour + 1);
    t.deepEqual(named((await followed(t, journal)).entries), ['new×1']);
  });

  test(`${name}: stays within its size, by dropping the oldest`, async (t) => {
    const journal = await open(t, { maxBytes: 400_000 });
    const recorder = new Recorder(journal, writer);
    for (let batch = 0; batch < 200; batch++) {
      // No two alike, so that nothing can be summed.
      const entries = Array.from({ length: 200 }, (_, index) => entry(`p-${index}`, start + batch * 60_000));
      await recorder.record(entries);
    }
    await journal.compact(start + 200 * 60_000);
    const { entries } = await followed(t, journal);
    t.true(entries.length > 0 && entries.length < 40_000);
    t.is(entries.at(-1)?.at, start + 199 * 60_000, 'the newest are kept');
  });

  test(`${name}: makes the old coarser without changing a sum`, async (t) => {
    const journal = await open(t);
    const recorder = new Recorder(journal, writer);
    for (let tick = 0; tick < 600; tick++) await recorder.record([entry('a', start + tick * 100)]);
    const before = (await followed(t, journal)).entries;
    const now = start + 2 * hour;
    await journal.compact(now);
    await journal.compact(now);
    const after = (await followed(t, journal)).entries;
    t.is(before.length, 600);
    t.true(after.length <= 2);
    t.deepEqual(sums(after, 60_000, 0), sums(before, 60_000, 0));
  });

  test(`${name}: a position from before it became coarser is refused, not answered wrongly`, async (t) => {
    const journal = await open(t);
    const recorder = new Recorder(journal, writer);
    const first = await followed(t, journal);
    await recorder.record([entry('a', start)]);
    await recorder.record([entry('b', start)]);
    await journal.compact(start + 2 * hour);
    await t.throwsAsync(followed(t, journal, first.positions[0]), { message: /follow from the start/ });
  });

  test(`${name}: windows see the same whatever was compacted, and when`, async (t) => {
    const step = fc.record({
      pod: fc.constantFrom('a', 'b', 'c'),
      ageMs: fc.oneof(fc.nat(90_000), fc.nat(2 * hour)),
      count: fc.integer({ min: 1, max: 1_000 }),
      compact: fc.boolean(),
      forwardMs: fc.nat(20 * 60_000),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 10_000, max: 2 * hour }),
        async (steps, windowMs) => {
          const journal = await open(t);
          const recorder = new Recorder(journal, writer);
          const kept: Entry[] = [];
          let now = start + 3 * hour;
          for (const { pod, ageMs, count, compact, forwardMs } of steps) {
            const one = entry(pod, floorTo(100, now - ageMs), count);
            kept.push(one);
            recorder.record([one]);
            now += forwardMs;
            if (compact) await journal.compact(now);
          }
          const { entries } = await followed(t, journal);
          const stepMs = stepOf(windowMs);
          const from = floorTo(stepMs, now) - Math.ceil(windowMs / stepMs) * stepMs + stepMs;
          t.deepEqual(sums(entries, stepMs, from), sums(kept, stepMs, from));
          await journal.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  test(`${name}: keeps hostile texts as they are, and apart`, async (t) => {
    const journal = await open(t);
    const recorder = new Recorder(journal, writer);
    const texts = [
      '__proto__',
      'constructor',
      'a\0b',
      '\ud800',
      '\udfff',
      '\u001b[2J\n',
      '\ufffd',
      'r'.repeat(200_000),
    ];
    for (const text of texts) await recorder.record([{ subject: subject('pod', text), at: start, count: 1 }]);
    const found = (await followed(t, reopen ? await reopen(t, journal) : journal)).entries;
    t.deepEqual(
      found.map((entry) => alertOf(entry).rule),
      texts,
    );
  });

  test(`${name}: appending after the end is refused`, async (t) => {
    const journal = await open(t);
    await journal.close();
    await journal.close();
    await t.throwsAsync(new Recorder(journal, writer).record([entry('a')]), { message: /closed/ });
  });

  if (reopen === undefined) return;
  test(`${name}: gives back after a restart what was there, and takes none of it twice`, async (t) => {
    const before = await open(t);
    const batch = { writer, sequence: 1, entries: [entry('a'), entry('b')] };
    before.append(batch);
    const journal = await reopen(t, before);
    await journal.append(batch);
    await journal.append({
      writer: { ...writer, epoch: writer.epoch + 1 },
      sequence: 1,
      entries: [entry('c')],
    });
    t.deepEqual(named((await followed(t, journal)).entries), ['a×1', 'b×1', 'c×1']);
    t.deepEqual(named((await followed(t, await reopen(t, journal))).entries), ['a×1', 'b×1', 'c×1']);
  });
}
