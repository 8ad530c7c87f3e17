import leven from 'leven';

/** The known key nearest to what was written, or undefined where none is near enough to be meant. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  const plain = written.toLowerCase();
  const ranked = known
    .map((key) => ({ key, distance: leven(plain, key.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined || best.distance > Math.max(1, Math.floor(best.key.length / 3))) return undefined;
  return best.key;
}
