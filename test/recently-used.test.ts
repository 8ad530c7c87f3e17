import test from 'ava';
import { RecentlyUsed } from '#src/recently-used.ts';

test('keeps what is used and forgets the rest', (t) => {
  const memory = new RecentlyUsed<number>({ entries: 10, weight: 1_000 });
  memory.set('used', 0);
  for (let i = 1; i < 100; i++) {
    memory.set(`k${i}`, i);
    t.is(memory.get('used'), 0);
    t.true(memory.size <= 10);
  }
  t.is(memory.get('k1'), undefined);
  t.is(memory.get('k99'), 99);
});

test('is bounded by the length of its keys too', (t) => {
  const memory = new RecentlyUsed<number>({ entries: 1_000, weight: 100 });
  for (let i = 0; i < 100; i++) memory.set(`${i}`.padStart(10), i);
  t.true(memory.size <= 10);
});
