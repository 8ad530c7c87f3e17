import test from 'ava';
import fc from 'fast-check';
import { type Outlook, surplus } from '#src/sources/attacks/metrics/surplus.ts';

function outlook(changes: Partial<Outlook> = {}): Outlook {
  return { infections: 12, exposureMs: 60_000, outageMs: 5_000, confidence: 0.99, most: 1_000, ...changes };
}

test('twelve infections in a minute, five seconds each: four more', (t) => {
  t.is(surplus(outlook()), 4);
});

test('by the distribution itself, summed up term by term', (t) => {
  for (const given of [
    outlook(),
    outlook({ infections: 0, exposureMs: 10_000, outageMs: 60_000 }),
    outlook({ infections: 3, exposureMs: 300_000, outageMs: 90_000, confidence: 0.9 }),
    outlook({ infections: 50, outageMs: 30_000, confidence: 0.999 }),
  ]) {
    const r = given.infections + 0.5;
    const p = given.exposureMs / (given.exposureMs + given.outageMs);
    let [term, sum, m] = [p ** r, p ** r, 0];
    while (sum < given.confidence) {
      term *= ((m + r) / (m + 1)) * (1 - p);
      sum += term;
      m++;
    }
    t.is(surplus(given), m);
  }
});

test('is bounded, and grows with infections, outages and confidence', (t) => {
  t.is(surplus(outlook({ infections: 500, outageMs: 60_000, most: 12 })), 12);
  const property = fc.property(
    fc.integer({ min: 0, max: 200 }),
    fc.integer({ min: 1_000, max: 600_000 }),
    fc.double({ min: 0.5, max: 0.99, noNaN: true }),
    (infections, outageMs, confidence) => {
      const base = surplus(outlook({ infections, outageMs, confidence }));
      return (
        surplus(outlook({ infections: infections + 1, outageMs, confidence })) >= base &&
        surplus(outlook({ infections, outageMs: outageMs * 2, confidence })) >= base &&
        surplus(outlook({ infections, outageMs, confidence: 0.999 })) >= base
      );
    },
  );
  fc.assert(property);
});
