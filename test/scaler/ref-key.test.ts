import test from 'ava';
import fc from 'fast-check';
import { refKey } from '#src/scaler/ref-key.ts';

const text = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('', ':', '1:', '1:a', 'a1:b'));
const refs = fc.record({
  namespace: text,
  name: text,
  scalerMetadata: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
});

test('equal references have equal keys, others have not', (t) => {
  fc.assert(
    fc.property(refs, refs, (a, b) => {
      const [x, y] = [a, b].map(({ namespace, name, scalerMetadata }) =>
        JSON.stringify([
          namespace,
          name,
          Object.entries(scalerMetadata).sort(([k], [l]) => (k < l ? -1 : 1)),
        ]),
      );
      return (refKey(a) === refKey(b)) === (x === y);
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('the order of the metadata does not matter', (t) => {
  fc.assert(
    fc.property(refs, fc.infiniteStream(fc.nat()), (ref, order) => {
      const shuffled = Object.entries(ref.scalerMetadata)
        .map((entry) => [order.next().value ?? 0, entry] as const)
        .sort(([a], [b]) => a - b)
        .map(([, entry]) => entry);
      return refKey(ref) === refKey({ ...ref, scalerMetadata: Object.fromEntries(shuffled) });
    }),
  );
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${(i * 37) % 100}`, 'v']));
  const sorted = Object.fromEntries(Object.entries(many).sort());
  const ref = { namespace: 'n', name: 'n' };
  t.is(refKey({ ...ref, scalerMetadata: many }), refKey({ ...ref, scalerMetadata: sorted }));
});
