/** What `find` gave for two labels before; both have few values. */
export function remembered<T>(find: (first: string, second: string) => T): typeof find {
  const known = new Map<string, Map<string, T>>();
  return (first, second) => {
    const before = known.get(first)?.get(second);
    if (before !== undefined) return before;
    const found = find(first, second);
    known.set(first, (known.get(first) ?? new Map<string, T>()).set(second, found));
    return found;
  };
}
