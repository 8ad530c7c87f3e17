import type { JournalObserver } from '#src/journal/journal.ts';

/** An observer that keeps what it is told. */
export function observed() {
  const told = { committed: 0, durable: [] as boolean[], lost: 0, setAside: 0, bytes: 0 };
  const observer: JournalObserver = {
    committed: (entries) => {
      told.committed += entries;
    },
    durable: (isDurable) => told.durable.push(isDurable),
    lost: (entries) => {
      told.lost += entries;
    },
    setAside: () => {
      told.setAside += 1;
    },
    size: (bytes) => {
      told.bytes = bytes;
    },
  };
  return { told, observer };
}
