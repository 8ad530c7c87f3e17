import { z } from 'zod';
import { choice, duration, number, pattern, read } from '#src/fields/field.ts';
import { largestQuantity } from '#src/fields/quantity.ts';
import { parseFilter } from '#src/triggers/filter.ts';
import { namespace, patterns, priority, threshold, workload } from '#src/triggers/shared-fields.ts';
import { groupAggregations, queryAggregators, timeAggregations } from '#src/triggers/trigger.ts';

const kubernetesName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
/** Longer ones would hold up everybody while they are parsed. */
const longestQuery = 20_000;
/** Every key of a Sysdig trigger: how it is read, its default, and what the documentation says of it. */
export const sysdigSchema = z.object({
  source: z.literal('sysdig').describe('`sysdig`.'),
  query: pattern(
    `a PromQL query of at most ${longestQuery} characters`,
    new RegExp(`^.{1,${longestQuery}}$`, 's'),
  )
    .optional()
    .describe('A PromQL query that answers one number. Either this or `metricName`.'),
  metricName: pattern(
    'a metric name such as net.http.request.count',
    /^(?!kubernetes\.)[A-Za-z_:][A-Za-z0-9_:.]{0,199}$/,
  )
    .optional()
    .describe(
      'A Sysdig metric of a workload or service, in either notation: `net.http.request.count` or `sysdig_container_net_http_request_count`.',
    ),
  workload: workload()
    .optional()
    .describe(
      'With `metricName`: the workload, `checkout` or `deployment/checkout`. Default: the one that is named like the ScaledObject.',
    ),
  workloadType: pattern('a kind such as deployment', /^[A-Za-z]{1,63}$/)
    .transform((type) => type.toLowerCase())
    .optional()
    .describe('With `metricName`: the kind of the workload, where several share a name.'),
  service: pattern('the name of a Service', kubernetesName)
    .optional()
    .describe('With `metricName`: a Service instead of a workload.'),
  namespace: namespace()
    .optional()
    .describe("With `metricName`: the workload's namespace. Default: the ScaledObject's."),
  cluster: pattern('the name of a cluster', /^[^\p{Cc}]{1,253}$/u)
    .optional()
    .describe("With `metricName`: the cluster's name in Sysdig. Default: `CLUSTER_NAME`."),
  filter: read('label conditions such as status="500", path=~"/api/.*"', parseFilter)
    .optional()
    .describe(
      'With `metricName`: further conditions on labels, `status="500", path=~"/api/.*"`. With `api: data` only `=` and `!=`.',
    ),
  timeAggregation: choice(timeAggregations)
    .prefault('avg')
    .describe(
      'With `metricName`: how the samples of `window` become one number per series. `timeAvg` is the sum per second.',
    ),
  groupAggregation: choice(groupAggregations)
    .prefault('sum')
    .describe('With `metricName`: how the series of the workload become one number.'),
  window: duration({ min: '10s', max: '24h' })
    .prefault('1m')
    .describe('With `metricName`: how far back samples are taken.'),
  queryAggregator: choice(queryAggregators)
    .optional()
    .describe('How several series of a `query` become one number. Without it several series are an error.'),
  api: choice(['promql', 'data'])
    .prefault('promql')
    .describe('`data` asks the older Data API; it needs `metricName`.'),
  account: pattern('the name of an account', /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
    .optional()
    .describe('One of the accounts that the operator configured. Default: the unnamed one.'),
  threshold: threshold.describe("The HPA's target; also written `targetValue`."),
  activationThreshold: number({ min: -largestQuantity, max: largestQuantity })
    .prefault('0')
    .describe('The workload is active while the value is above it.'),
  thresholdUnderAttack: threshold
    .optional()
    .describe(
      'The target while the workload is under attack; below `threshold`. Travels by `StreamMetricSpec`: use it with type `external-push`.',
    ),
  attackWindow: duration({ min: '1m', max: '24h' })
    .prefault('5m')
    .describe('With `thresholdUnderAttack`: how long after the last alert the attack lasts.'),
  attackWorkload: workload()
    .optional()
    .describe(
      'With `thresholdUnderAttack`: the workload whose attack counts. Default: `workload`, else the one that is named like the ScaledObject.',
    ),
  attackRules: patterns('names of rules')
    .optional()
    .describe(
      'With `thresholdUnderAttack`: which rules make an attack, as `rules` of `source: falco`. Default: all.',
    ),
  attackTags: patterns('tags')
    .optional()
    .describe(
      'With `thresholdUnderAttack`: which tags make an attack, as `tags` of `source: falco`. Default: all.',
    ),
  attackMinimumPriority: priority()
    .prefault('Critical')
    .describe('With `thresholdUnderAttack`: alerts below it make no attack.'),
  maxAge: duration({ min: '10s', max: '24h' }).prefault('2m').describe('Data older than this is an error.'),
  metricUnavailableValue: number({ min: -largestQuantity, max: largestQuantity })
    .optional()
    .describe(
      'Answered where Sysdig has no data. Never used when Sysdig fails. Without it no data is an error.',
    ),
  onError: choice(['error', 'lastValue'])
    .prefault('error')
    .describe('`lastValue` answers the last good value while Sysdig fails, at most `staleMaxAge` old.'),
  staleMaxAge: duration({ min: '10s', max: '1h' })
    .prefault('5m')
    .describe('With `onError: lastValue`: how old that value may be.'),
  cacheTTL: duration({ min: '1s', max: '5m' })
    .prefault('10s')
    .describe(
      'How long an answer counts as new. Within a quarter more it is asked again, and answered from memory meanwhile.',
    ),
});
