// Appends numbered entries to the file that is its argument until it is killed; prints the number of each that is durable.
import { systemClock } from '#src/clock.ts';
import { openJournal } from '#src/journal/open-journal.ts';
import { Recorder } from '#src/journal/recorder.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { entry } from '#test/journal/journal-entries.ts';
import { observed } from '#test/journal/observed.ts';

const [, , url = '', first = '0'] = process.argv;
const journal = await openJournal(url, {
  clock: systemClock,
  log: silentLog,
  observer: observed().observer,
  retentionMs: 24 * 3_600_000,
  maxBytes: 1e9,
});
const recorder = new Recorder(journal, { replica: 'appender', epoch: Number(first) + 1 });
for (let number = Number(first); ; number++) {
  recorder.record([entry(`pod-${number}`)]).then(() => process.stdout.write(`${number}\n`));
  if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
