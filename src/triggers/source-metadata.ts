import type { ScaledObjectId, TriggerDefaults } from '#src/triggers/trigger.ts';

/** What the reader of one source's triggers gets. */
export interface SourceMetadata {
  readonly values: ReadonlyMap<string, string>;
  readonly scaledObject: ScaledObjectId;
  readonly metricName: string;
  readonly defaults: TriggerDefaults;
}
