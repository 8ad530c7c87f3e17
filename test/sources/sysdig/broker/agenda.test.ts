import test from 'ava';
import fc from 'fast-check';
import { Agenda, type Dated } from '#src/sources/sysdig/broker/agenda.ts';

test('gives what is due in the order of its last date, once', (t) => {
  const dates = fc.array(fc.record({ item: fc.nat(20), at: fc.nat(100) }), { maxLength: 100 });
  fc.assert(
    fc.property(dates, fc.nat(100), (puts, until) => {
      const items: Dated[] = Array.from({ length: 21 }, () => ({ dueAt: undefined }));
      const agenda = new Agenda<Dated>();
      const last = new Map<Dated, number>();
      for (const { item, at } of puts) {
        const dated = items[item] as Dated;
        agenda.put(dated, at);
        last.set(dated, at);
      }
      const taken: Dated[] = [];
      for (let one = agenda.take(until); one; one = agenda.take(until)) taken.push(one);
      const times = taken.map((one) => last.get(one) ?? Number.NaN);
      t.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      t.is(new Set(taken).size, taken.length);
      t.is(taken.length, [...last.values()].filter((at) => at <= until).length);
      t.true(taken.every(({ dueAt }) => dueAt === undefined));
    }),
  );
});
