import { Counter, type Registry } from 'prom-client';

export interface TallyCounterOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [string, string];
  readonly registers: Registry[];
}

/** A counter with two labels of few values, for what happens tens of thousands of times a second: summed up when it is scraped. */
export function tallyCounter({
  name,
  help,
  labelNames,
  registers,
}: TallyCounterOptions): (first: string, second: string, count: number) => void {
  const tallies = new Map<string, Map<string, number>>();
  const [firstName, secondName] = labelNames;
  new Counter({
    name,
    help,
    labelNames,
    registers,
    collect() {
      for (const [first, bySecond] of tallies) {
        for (const [second, count] of bySecond) this.inc({ [firstName]: first, [secondName]: second }, count);
        bySecond.clear();
      }
    },
  });
  return (first, second, count) => {
    let bySecond = tallies.get(first);
    if (bySecond === undefined) {
      bySecond = new Map();
      tallies.set(first, bySecond);
    }
    bySecond.set(second, (bySecond.get(second) ?? 0) + count);
  };
}
