import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { systemClock } from '#src/clock.ts';
import type { Entry } from '#src/journal/entry.ts';
import type { Journal } from '#src/journal/journal.ts';
import { openJournal } from '#src/journal/open-journal.ts';
import { Recorder } from '#src/journal/recorder.ts';
import { floorTo, stepOf, tickMs } from '#src/journal/resolution.ts';
import { alertOf } from '#test/harness/alert-of.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { followed } from '#test/journal/journal-contract.ts';
import { entry, start, writer } from '#test/journal/journal-entries.ts';
import { observed } from '#test/journal/observed.ts';

type Step =
  | { readonly do: 'append'; readonly parts: readonly { pod: string; lateMs: number; count: number }[] }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'compact' }
  | { readonly do: 'follow' };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const retentionMs = 24 * hourMs;
/** Whole steps long, as windows are. */
const windows = [
  10_000,
  59_900,
  minuteMs,
  5 * minuteMs,
  599_000,
  10 * minuteMs,
  hourMs - 10_000,
  hourMs,
  7 * hourMs,
];
const pods = ['a', 'b', 'c'];

const milliseconds = fc.oneof(
  { weight: 4, arbitrary: fc.nat(130_000) },
  { weight: 2, arbitrary: fc.nat(15 * minuteMs) },
  fc.nat(26 * hourMs),
  fc.constantFrom(minuteMs, 10 * minuteMs, hourMs, retentionMs),
);
const part = fc.record({
  pod: fc.constantFrom(...pods),
  lateMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, milliseconds),
  count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(0xffff_ffff)),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('append' as const), parts: fc.array(part, { maxLength: 8 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: milliseconds }) },
  { weight: 2, arbitrary: fc.constant({ do: 'compact' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'follow' as const }) },
);

const kinds = [
  { name: 'memory', url: () => 'memory:', runs: 100 },
  { name: 'sqlite', url: (t: ExecutionContext) => `sqlite:${newPath(t)}`, runs: 25 },
];
for (const { name, url, runs } of kinds) {
  test(`${name}: whoever follows from whenever counts the same in every window`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const journal = await openAt(url(t));
        const { now, all, followers } = await play(t, journal, steps);
        followers.push((await followed(t, journal)).entries);
        for (const entries of followers) {
          for (const lengthMs of windows) {
            t.deepEqual(
              countsOf(entries, { now, lengthMs }),
              countsOf(all, { now, lengthMs }),
              `${lengthMs} ms`,
            );
          }
        }
        await journal.close();
      }),
      { numRuns: runs },
    );
  });

  test(`${name}: goes on exactly after any position it ever gave, or refuses`, async (t) => {
    const journal = await openAt(url(t));
    t.teardown(() => journal.close());
    const marks: { position: string; received: number }[] = [];
    const all: Entry[] = [];
    const signal = new AbortController().signal;
    await journal.follow(
      (entries, position) => {
        all.push(...entries);
        marks.push({ position, received: all.length });
      },
      { signal },
    );
    const recorder = new Recorder(journal, writer);
    for (const seconds of [7_300, 7_299, 9, 7_298, 900, 899, 90, 89, 8]) {
      const one = entry('a', start - seconds * 1_000);
      recorder.record([one, { ...one, count: 2 }]);
      await recorder.record([{ ...one, count: 4 }]);
    }
    const exact = async () => {
      let answered = 0;
      for (const { position, received } of marks) {
        const rest = await followed(t, journal, position).catch((error: Error) => error);
        if (rest instanceof Error) t.regex(rest.message, /follow from the start/);
        else {
          answered++;
          t.deepEqual(sumOf(rest.entries), sumOf(all.slice(received)), position);
        }
      }
      return answered;
    };
    t.is(await exact(), marks.length);
    await journal.compact(start);
    t.true((await exact()) > 0, 'what is less than a minute old is as it was');
    await journal.compact(start + 2 * hourMs);
    await exact();
  });
}

async function play(t: ExecutionContext, journal: Journal, steps: readonly Step[]) {
  const recorder = new Recorder(journal, writer);
  const all: Entry[] = [];
  const followers: (readonly Entry[])[] = [];
  let now = start;
  for (const one of steps) {
    if (one.do === 'wait') now += one.ms;
    if (one.do === 'compact') await journal.compact(now);
    if (one.do === 'follow') followers.push((await followed(t, journal)).entries);
    if (one.do !== 'append') continue;
    const entries = one.parts.map(({ pod, lateMs, count }) =>
      entry(pod, floorTo(tickMs, now - lateMs), count),
    );
    all.push(...entries);
    const durable = recorder.record(entries);
    // Not always, so that appends also meet in a group.
    if (entries.length % 2 === 0) await durable;
  }
  await journal.compact(now);
  return { now, all, followers };
}

function countsOf(entries: readonly Entry[], { now, lengthMs }: { now: number; lengthMs: number }): number[] {
  const from = floorTo(stepOf(lengthMs), now - lengthMs);
  return pods.map((pod) => sumOf(entries.filter((entry) => alertOf(entry).pod === pod && entry.at >= from)));
}

function sumOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { count }) => sum + count, 0);
}

function openAt(url: string): Promise<Journal> {
  const { observer } = observed();
  return openJournal(url, { clock: systemClock, log: silentLog, observer, retentionMs, maxBytes: 1e9 });
}

function newPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'external-scaler-journal-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'journal.db');
}
