import type { Series } from '#src/sources/sysdig/upstream.ts';

/** The label that tells whose a series of a shared answer is. No query that names it may share a request. */
export const slotLabel = 'external_scaler_slot';

/** Several expressions as one; each must be self-contained and an instant vector. A single one stays as it is. */
export function bind(parts: readonly string[]): string {
  const [only = ''] = parts;
  if (parts.length === 1) return only;
  return parts.map((part, slot) => `label_replace((${part}),"${slotLabel}","${slot}","","")`).join(' or ');
}

/** The series of each bound expression, without the label. Undefined where a series is nobody's. */
export function unbind(series: readonly Series[], parts: number): Series[][] | undefined {
  if (parts === 1) return [[...series]];
  const dealt: Series[][] = Array.from({ length: parts }, () => []);
  for (const one of series) {
    const { [slotLabel]: slot, ...labels } = one.labels;
    const hand = dealt[Number(slot ?? Number.NaN)];
    if (!hand) return undefined;
    hand.push({ labels, value: one.value, at: one.at });
  }
  return dealt;
}
