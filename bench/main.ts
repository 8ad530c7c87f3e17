// Measures on this machine, side by side in one run: tables for people, then JSON. Arguments pick what is run: queries, attacks.
import { benchAttacks } from './attacks/bench-attacks.ts';
import { benchQueries } from './bench-queries.ts';

/** What was measured, and what of it misses its aim. */
export interface BenchReport {
  readonly results: object;
  readonly missed: readonly string[];
}

const all: Readonly<Record<string, () => Promise<BenchReport>>> = {
  queries: benchQueries,
  attacks: benchAttacks,
};
const picked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(all);
const results: Record<string, object> = {};
const missed: string[] = [];
for (const name of picked) {
  const run = all[name];
  if (run === undefined) throw new Error(`expected ${Object.keys(all).join(' or ')}, got ${name}`);
  const report = await run();
  results[name] = report.results;
  missed.push(...report.missed);
}
console.log(JSON.stringify({ node: process.version, ...results }, null, 2));
for (const one of missed) console.error(`missed: ${one}`);
process.exitCode = missed.length > 0 ? 1 : 0;
