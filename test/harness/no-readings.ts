import type { Readings } from '#src/operations/metrics.ts';

/** Of a scaler that nothing has happened to. */
export const noReadings: Readings = {
  oldestAnswerSeconds: () => undefined,
  triggersOnLastValue: () => 0,
  activeAttackTriggers: () => 0,
  journalBacklog: () => 0,
  windows: () => ({ pods: 0, workloads: 0, views: 0 }),
  sensors: () => [],
  cluster: { acts: () => false, disarmed: () => 0 },
  now: () => 0,
};
