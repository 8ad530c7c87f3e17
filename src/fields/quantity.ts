const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A plain decimal number, `100`, `0.5`, `1e3`; undefined for anything else, and for what a double cannot hold. */
export function parseNumber(text: string): number | undefined {
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Kubernetes keeps a quantity in thousandths of an int64 where it can: the largest whole number that still fits. */
export const largestQuantity = 9.2e15;
