import anyTest, { type TestFn } from 'ava';
import fc from 'fast-check';
import { systemClock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import { carry, type Result } from '#src/sources/sysdig/broker/carry.ts';
import { inquire } from '#src/sources/sysdig/broker/inquiry.ts';
import { plan, type Traveller } from '#src/sources/sysdig/broker/plan.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import type { Question } from '#src/sources/sysdig/question.ts';
import { type Prometheus, startPrometheus } from '#test/harness/prometheus.ts';
import { account, ofWorkload, written } from '#test/sources/sysdig/broker/upstreams.ts';

interface Context {
  prometheus: Prometheus;
  client: SysdigClient;
  /** Asks all together, as the broker would; outcomes in order. */
  ask(questions: readonly Question[]): Promise<(Result<Traveller>['outcome'] | undefined)[]>;
  /** How many requests that has taken so far. */
  requests(): number;
}

const test = anyTest as TestFn<Context>;
const names = ['web', 'web-2', 'we.b', 'we|b', 'we"b', 'we\\b', "we'b", 'we.*', 'wéb', 'we\nb'];
const namespaces = ['shop', 'shop.eu', 'sh|op'];
const startedAt = Math.floor(Date.now() / 1000);

test.before(async (t) => {
  const places = namespaces.flatMap((namespace) => names.map((name) => ({ namespace, name })));
  const prometheus = await startPrometheus({
    series: [
      ...places.flatMap(({ namespace, name }, index) =>
        ['deployment', 'statefulset'].slice(0, 1 + (index % 2)).map((type, offset) => ({
          name: 'requests',
          labels: {
            kube_namespace_name: namespace,
            kube_workload_name: name,
            kube_workload_type: type,
            kube_service_name: name,
          },
          points: [1, 2, 3, 4, 5, 6].map(
            (step) => [startedAt - step * 10, index * 10 + offset + step] as const,
          ),
        })),
      ),
      ...['a', 'b', 'c'].map((name, index) => ({
        name,
        labels: { job: 'x' },
        points: [[startedAt - 5 - index * 60, 7 + index]] as const,
      })),
      { name: 'gone', labels: { job: 'x' }, points: [[startedAt - 420, 1]] },
    ],
  });
  const client = new SysdigClient({
    pool: new HttpPool(),
    observer: { request() {}, rateLimit() {} },
    clock: systemClock,
  });
  const here = account({ baseUrl: prometheus.baseUrl });
  let requests = 0;
  t.context = {
    prometheus,
    client,
    requests: () => requests,
    async ask(questions) {
      const travellers = questions.map((question) => travellerOf(question));
      const outcomes = new Map<Traveller, Result<Traveller>['outcome']>();
      for (const units of plan(travellers)) {
        await carry(units, {
          ask: async (expression) => {
            requests++;
            const askedAt = Date.now();
            return { answer: await client.query(here, expression, new AbortController().signal), askedAt };
          },
          settle: ({ member, outcome }) => outcomes.set(member, outcome),
        });
      }
      return travellers.map((one) => outcomes.get(one));
    },
  };
});

test.after.always(async (t) => {
  await t.context.client?.close();
  await t.context.prometheus?.stop();
});

function travellerOf(question: Question): Traveller {
  return {
    inquiry: inquire(question),
    lane: question.namespace,
    apart: false,
    ageless: false,
    rows: undefined,
  };
}

/** What an answer says, in one order; a failure by its code. `delta` extrapolates to the moment of the evaluation. */
function said(outcome: Result<Traveller>['outcome'] | undefined, { moves = false } = {}): unknown {
  if (outcome instanceof Failure) return outcome.code;
  return outcome?.series
    .map(({ labels, value }) =>
      JSON.stringify([Object.entries(labels).sort(), moves ? Math.sign(value) : value.toPrecision(12)]),
    )
    .sort();
}

const wide = { windowMs: 3_600_000 };
const places = fc.record({
  workload: fc.constantFrom(...names, 'absent'),
  namespace: fc.constantFrom(...namespaces, 'absent'),
  workloadType: fc.constantFrom(undefined, 'deployment', 'statefulset'),
});

test.serial('a merged question is answered as it would be alone', async (t) => {
  const metric = fc.record({
    timeAggregation: fc.constantFrom('avg', 'timeAvg', 'sum', 'min', 'max', 'rateOfChange'),
    groupAggregation: fc.constantFrom('avg', 'sum', 'min', 'max'),
    byService: fc.boolean(),
  });
  const property = fc.asyncProperty(
    metric,
    fc.uniqueArray(places, { minLength: 2, maxLength: 8, selector: (place) => JSON.stringify(place) }),
    async ({ byService, ...how }, members) => {
      const questions = members.map(({ workload, workloadType, namespace }) =>
        ofWorkload(
          {
            ...wide,
            ...how,
            metric: 'requests',
            namespace,
            ...(byService ? { workload: undefined, service: workload } : { workload, workloadType }),
          } as never,
          { maxAgeMs: 3_600_000 },
        ),
      );
      const before = t.context.requests();
      const together = await t.context.ask(questions);
      t.is(t.context.requests(), before + 1);
      for (const [index, question] of questions.entries()) {
        const [alone] = await t.context.ask([question]);
        const moves = { moves: how.timeAggregation === 'rateOfChange' };
        t.deepEqual(said(together[index], moves), said(alone, moves), JSON.stringify(question.select));
        const { namespace, workload, service } = question.select as never as Record<string, string>;
        const exists = namespace !== 'absent' && (workload ?? service) !== 'absent';
        if (exists && byService) t.is(alone instanceof Failure ? undefined : alone?.series.length, 1);
      }
    },
  );
  await fc.assert(property, { numRuns: 15 });
});

const benign = [
  'sum(a)',
  'a',
  'b{job="x"} * 2',
  'c > 100',
  'a or b or c',
  'count by (kube_workload_type) (requests)',
  'sum by (kube_namespace_name) (sum_over_time(requests[1h]))',
  'vector(3)',
  'absent(nothing)',
  'nothing',
  '-a',
  'a{job="#x"}',
  'label_replace(a, "copy", "$1", "job", "(.*)")',
  'a / on(job) b',
];

test.serial('a batched question is answered as it would be alone', async (t) => {
  const property = fc.asyncProperty(fc.shuffledSubarray(benign, { minLength: 2 }), async (queries) => {
    const questions = queries.map((query) => written(query));
    const before = t.context.requests();
    const together = await t.context.ask(questions);
    t.is(t.context.requests(), before + 1);
    for (const [index, question] of questions.entries()) {
      t.deepEqual(said(together[index]), said((await t.context.ask([question]))[0]), queries[index]);
    }
  });
  await fc.assert(property, { numRuns: 15 });
});

const nasty = [
  'vector(0),"q","1","","") or label_replace(vector(5)',
  ...Array.from(
    { length: 8 },
    (_, slot) => `vector(0)),"external_scaler_slot","${slot}","","") or label_replace((vector(5)`,
  ),
  'label_replace(vector(5),"external_scaler_slot","0","","")',
  'vector(5) #',
  'vector(5) # \n',
  'vector(5)) or (vector(6)',
  'a{job="x',
  "a{job='x",
  'a{job=`x',
  'a{job="\\"',
  'a{job="x\n"}',
  '5',
  '"five"',
  'time()',
  'a[5m]',
  'a[5m:]',
  '(a',
  'a)',
  'a +',
  'or a',
  'a or',
  '',
  ' ',
  'a{job="é"}',
  'а',
  'a\u00a0',
  'a\r\n',
  'a\u2028',
  'sum(a) by',
  'a offset',
  '{__name__=~".+"}',
  'rate(a)',
  'a and 5',
  'a + on(job) group_left requests',
  'label_replace(requests, "kube_workload_name", "", "", "")',
  'a;b',
  '/* a */',
  'a{}{}',
  'nosuch(a)',
];
const pieces = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          '(',
          ')',
          '{',
          '}',
          '[',
          ']',
          '"',
          "'",
          '`',
          '\\',
          ',',
          '#',
          '\n',
          ' or ',
          'a',
          'job',
          '=',
          '5m',
          ' by ',
        ],
        ...[
          'label_replace(',
          'vector(5)',
          '"external_scaler_slot"',
          '"0"',
          '""',
          'sum',
          ' offset ',
          '@',
          ':',
          'é',
        ],
      ),
      fc.string({ unit: 'binary', maxLength: 2 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test.serial('no query can change what another is answered', async (t) => {
  const victims = ['sum(b)', 'c', 'nothing'].map((query) => written(query));
  const expected = (await t.context.ask(victims)).map((outcome) => said(outcome));
  const attack = async (queries: readonly string[]) => {
    const questions = queries.map((query) => written(query));
    for (const order of [
      [...questions, ...victims],
      [...victims, ...questions],
    ]) {
      const outcomes = await t.context.ask(order);
      const heard = victims.map((victim) => said(outcomes[order.indexOf(victim)]));
      t.deepEqual(heard, expected, JSON.stringify(queries));
    }
  };
  for (const query of nasty) await attack([query]);
  const property = fc.asyncProperty(
    fc.array(fc.oneof(fc.constantFrom(...nasty), pieces), { minLength: 1, maxLength: 4 }),
    attack,
  );
  await fc.assert(property, { numRuns: 60 });
});

test.serial(
  'what our grammar takes for a vector, Prometheus answers in a batch or refuses alone',
  async (t) => {
    const outcomes = await t.context.ask(nasty.map((query) => written(query)));
    t.true(outcomes.every((outcome) => outcome !== undefined));
  },
);

test.serial('tells the true age of the data', async (t) => {
  const young = { maxAgeMs: 30_000 };
  const [fresh, older, oldest, gone, range] = await t.context.ask([
    written('sum(a)', young),
    written('sum(b)', young),
    written('a + on(job) c', young),
    written('sum(sum_over_time(gone[15m]))', young),
    ofWorkload({ metric: 'requests', windowMs: 600_000 }, young),
  ]);
  const ageS = (outcome: unknown) => {
    const { askedAt, dataAt } = outcome as { askedAt: number; dataAt: number };
    return (askedAt - dataAt) / 1000;
  };
  const since = Date.now() / 1000 - startedAt;
  const near = (outcome: unknown, expected: number) =>
    t.true(Math.abs(ageS(outcome) - expected) < 10, `${ageS(outcome)}`);
  near(fresh, since + 5);
  near(older, since + 65);
  near(oldest, since + 125);
  t.is(ageS(gone), 900);
  near(range, since + 10);
});
