import { MemoryJournal } from '#src/journal/memory-journal.ts';
import { testJournal } from '#test/journal/journal-contract.ts';
import { observed } from '#test/journal/observed.ts';

testJournal({
  name: 'memory',
  async open(_t, bounds) {
    const { observer } = observed();
    return new MemoryJournal({ retentionMs: 24 * 3_600_000, maxBytes: 1e9, observer, ...bounds });
  },
});
