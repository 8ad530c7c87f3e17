import { z } from 'zod';
import { choice, duration, flag, number } from '#src/fields/field.ts';
import { largestQuantity } from '#src/fields/quantity.ts';
import { namespace, patterns, priority, threshold, workload } from '#src/triggers/shared-fields.ts';
import { attackMetricNames } from '#src/triggers/trigger.ts';

/** Every key of a trigger about attacks: how it is read, its default, and what the documentation says of it. */
export const falcoSchema = z.object({
  source: z.literal('falco').describe('`falco`.'),
  metric: choice(attackMetricNames).describe('What is counted; see below.'),
  workload: workload()
    .optional()
    .describe(
      'The workload, `checkout` or `deployment/checkout`. Default: what the ScaledObject scales; without a cluster, the one of its name.',
    ),
  namespace: namespace()
    .optional()
    .describe(
      "Its namespace. Default: the ScaledObject's; another only where the operator lists that one in `attacksAcrossNamespaces`.",
    ),
  window: duration({ min: '10s', max: '24h' })
    .prefault('5m')
    .describe(
      "How far back alerts count. Choose it longer than the rule's repeat: a pod without an alert in it counts as clean.",
    ),
  minimumPriority: priority().prefault('Warning').describe('Alerts below it do not count.'),
  rules: patterns('names of rules')
    .optional()
    .describe(
      'Which rules count, with `*` and `?`; a leading `!` excludes: `Write below *, !Write below etc`. A comma in a name is written `?`. Default: all.',
    ),
  tags: patterns('tags')
    .optional()
    .describe('Which alerts count by their tags, in the same way: `mitre_*, !network`. Default: all.'),
  sources: patterns('event sources')
    .optional()
    .describe('Which event sources count, in the same way: `syscall, k8s_audit`. Default: all.'),
  threshold: threshold
    .optional()
    .describe(
      "The HPA's target; also written `targetValue`. With `metric: requiredReplicas` 1, and may be left out.",
    ),
  activationThreshold: number({ min: -largestQuantity, max: largestQuantity })
    .prefault('0')
    .describe(
      'The workload is active while the value is above it. Not with `requiredReplicas`, `recreationSeconds` and `reapedPercent`, which are active while the window holds an alert.',
    ),
  healthyReplicas: number({ min: 0, max: 100_000 })
    .optional()
    .describe('With `metric: requiredReplicas`, and required there: the replicas that the load needs.'),
  confidence: number({ min: 0.5, max: 0.9999 })
    .prefault('0.99')
    .describe('With `metric: requiredReplicas`: how sure it is that so many stay healthy.'),
  maxSurplus: number({ min: 1, max: 100_000, whole: true })
    .optional()
    .describe(
      'With `metric: requiredReplicas`: the most that is added. Default: twice `healthyReplicas`, at least 5.',
    ),
  assumedRecreationSeconds: number({ min: 1, max: 3_600 })
    .prefault('60')
    .describe(
      'With `requiredReplicas` and `recreationSeconds`: how long a pod takes to be recreated, until that is known.',
    ),
  surge: flag()
    .prefault('false')
    .describe(
      'Lets a running workload jump to its replicas at once, where the operator allows it: surge-and-reaper.md.',
    ),
});
