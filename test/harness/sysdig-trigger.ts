import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import type { SysdigTrigger } from '#src/triggers/trigger.ts';

/** A valid trigger of the ScaledObject shop/checkout with threshold 100, read from metadata as KEDA would send it. */
export function sysdigTrigger(metadata: Record<string, string>, cluster?: string): SysdigTrigger {
  const scalerMetadata = { source: 'sysdig', threshold: '100', ...metadata };
  const parsed = parseTrigger({ namespace: 'shop', name: 'checkout', scalerMetadata }, { cluster });
  if (parsed.kind !== 'valid') throw parsed.failure;
  if (parsed.trigger.source !== 'sysdig') throw new Error('expected a trigger of source sysdig');
  return parsed.trigger;
}
