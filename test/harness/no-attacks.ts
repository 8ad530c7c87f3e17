import type { Attacks } from '#src/sources/attacks.ts';
import type { Source } from '#src/sources/source.ts';
import type { FalcoTrigger } from '#src/triggers/trigger.ts';

/** Peace. */
export const noAttacks: Attacks = { isUnderAttack: () => false, watch() {} };

/** For whoever asks about Sysdig only. */
export const noAttackSource: Source<FalcoTrigger> = {
  measure() {
    throw new Error('expected no question about attacks');
  },
  awaits: () => 'nothing',
  watch() {},
  target: ({ threshold }) => threshold,
  watchTarget() {},
};
