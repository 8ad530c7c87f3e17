import test from 'ava';
import { Failure } from '#src/failure.ts';
import { carry, type Result } from '#src/sources/sysdig/broker/carry.ts';
import { inquire } from '#src/sources/sysdig/broker/inquiry.ts';
import { plan, type Traveller } from '#src/sources/sysdig/broker/plan.ts';
import type { Question } from '#src/sources/sysdig/question.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import {
  answer,
  obliging,
  ofWorkload,
  type Reply,
  refusal,
  row,
  ScriptedUpstream,
  written,
} from '#test/sources/sysdig/broker/upstreams.ts';

const askedAt = 1_000_000_000;
const young = { maxAgeMs: 300_000 };

function traveller(question: Question, changes: Partial<Traveller> = {}): Traveller {
  return {
    inquiry: inquire(question),
    lane: question.namespace,
    apart: false,
    ageless: false,
    rows: undefined,
    ...changes,
  };
}

async function travel(travellers: readonly Traveller[], reply: Reply) {
  const upstream = new ScriptedUpstream(new ManualClock(), reply);
  const { signal } = new AbortController();
  const results = new Map<Traveller, Result<Traveller>>();
  for (const units of plan(travellers)) {
    await carry(units, {
      ask: async (expression) => ({
        answer: await upstream.query(travellers[0]?.inquiry.question.account as never, expression, signal),
        askedAt,
      }),
      settle: (result) => results.set(result.member, result),
    });
  }
  const [first] = results.values();
  const outcomes = travellers.map((one) => results.get(one)?.outcome);
  const values = outcomes.map((one) => (one instanceof Failure ? one.code : one?.series[0]?.value));
  const offenders = travellers.filter((one) => results.get(one)?.offender);
  return { results, first, values, offenders, asked: upstream.asked };
}

const queries = ['sum(a)', 'sum(b)', 'sum(c)'].map((query) => traveller(written(query, young)));

for (const status of [400, 422]) {
  test(`a ${status} on a batch has each asked alone, and sets the offender apart`, async (t) => {
    const { values, offenders, asked } = await travel(queries, (expression, call) => {
      if (expression.includes('sum(b)')) throw refusal(status);
      return answer(row(call));
    });
    t.deepEqual(values, [2, 'invalid', 4]);
    t.deepEqual(offenders, [queries[1]]);
    t.is(asked.length, 4);
  });
}

test('an answer that one question alone makes unreadable has each asked alone', async (t) => {
  const { values, offenders } = await travel(queries, (expression, call) => {
    if (expression.includes('sum(b)')) throw new Failure('invalid', 'expected one number, got a histogram');
    return answer(row(call));
  });
  t.deepEqual(values, [2, 'invalid', 4]);
  t.deepEqual(offenders, [queries[1]]);
});

test('a page that some proxy answers with 400 is the fault of no question', async (t) => {
  const { values, asked } = await travel(queries, () => {
    throw new Failure('unavailable', 'Sysdig was not reached', { httpStatus: 400 });
  });
  t.deepEqual(new Set(values), new Set(['unavailable']));
  t.is(asked.length, 1);
});

test('a warning on a batch has each asked alone, and is the failure of the one that still warns', async (t) => {
  const { values, offenders, results } = await travel(queries, (expression, call) => ({
    series: [row(call)],
    warnings: expression.includes('sum(c)') ? ['results truncated'] : [],
  }));
  t.deepEqual(values, [2, 3, 'invalid']);
  t.deepEqual(offenders, [queries[2]]);
  const outcome = results.get(queries[2] as Traveller)?.outcome;
  t.regex((outcome as Failure).message, /^Sysdig cut the answer: results truncated; /);
});

test('the hints of Prometheus are no warnings', async (t) => {
  const { values } = await travel(queries.slice(0, 1), () => ({
    series: [row(5)],
    warnings: ['PromQL info: metric might not be a counter'],
  }));
  t.deepEqual(values, [5]);
});

for (const [status, code] of [
  [401, 'unauthenticated'],
  [429, 'rate-limited'],
  [503, 'unavailable'],
] as const) {
  test(`a ${status} on a batch is the failure of all, and never divides it`, async (t) => {
    const { values, offenders, asked } = await travel(queries, () => {
      throw new Failure(code, 'no', { httpStatus: status });
    });
    t.deepEqual(values, [code, code, code]);
    t.deepEqual(offenders, []);
    t.is(asked.length, 1);
  });
}

test('a series that is nobody’s spoils the batch', async (t) => {
  const { values, asked } = await travel(queries, (_, call) => answer(row(call)));
  t.deepEqual(values, [2, 3, 4]);
  t.is(asked.length, 4);
});

const workloads = (count: number, changes: Partial<Traveller> = {}) =>
  Array.from({ length: count }, (_, index) =>
    traveller(ofWorkload({ workload: `w${index}` }, young), changes),
  );

test('a merged answer near 1,000 series is not trusted: it is asked again in halves', async (t) => {
  const members = workloads(600);
  const { values, asked } = await travel(members, (expression, call) => {
    const whole = obliging()(expression, call);
    // Two rows for each, cut where Sysdig would.
    return answer(...[...whole.series, ...whole.series].slice(0, 1_000));
  });
  t.is(asked.length, 3);
  t.deepEqual(new Set(values), new Set([1]));
});

test('a merged answer that is too long loses none of its ages', async (t) => {
  const members = Array.from({ length: 300 }, (_, index) =>
    traveller(ofWorkload({ workload: `w${index}`, windowMs: 300_000 }, { maxAgeMs: 60_000 })),
  );
  const { results, asked } = await travel(members, (expression) => {
    const names = expression.match(/kube_workload_name=~"([^"]*)"/)?.[1]?.split('|') ?? [];
    const rows = (slot: string, value: number) =>
      names.flatMap((name) =>
        ['deployment', 'statefulset'].map((type) => ({
          value,
          at: askedAt,
          labels: {
            external_scaler_slot: slot,
            kube_namespace_name: 'shop',
            kube_workload_name: name,
            kube_workload_type: type,
          },
        })),
      );
    return answer(...rows('0', 1), ...rows('1', (askedAt - 90_000) / 1000));
  });
  t.is(asked.length, 3);
  for (const { ageless, outcome } of results.values()) {
    t.false(ageless);
    t.like(outcome, { dataAt: askedAt - 90_000 });
  }
});

test('a family that is refused whoever asks costs two requests', async (t) => {
  const members = workloads(500);
  const { values, asked } = await travel(members, () => {
    throw refusal();
  });
  t.is(asked.length, 2);
  t.deepEqual(new Set(values), new Set(['invalid']));
});

test('a merged request that only its size spoils is halved at most three times', async (t) => {
  const members = workloads(500);
  const { asked, values } = await travel(members, (expression, call) => {
    if (expression.includes('|')) throw refusal();
    return obliging()(expression, call);
  });
  t.is(asked.length, 1 + 1 + 2 + 4 + 8);
  t.is(values.filter((value) => value === 1).length, 1);
});

test('what its last answers had decides how many share a request', (t) => {
  t.is(plan(workloads(1_000)).length, 2);
  t.is(plan(workloads(1_000, { rows: 4 })).length, 5);
});

test('a request holds at most 10 distinct metrics and 800 series', (t) => {
  const singles = Array.from({ length: 64 }, (_, index) => traveller(written(`sum(m${index})`)));
  t.deepEqual(
    plan(singles).map(({ length }) => length),
    [10, 10, 10, 10, 10, 10, 4],
  );
  const same = Array.from({ length: 64 }, (_, index) => traveller(written(`sum(m{x="${index}"})`)));
  t.is(plan(same).length, 1);
  const wide = same.map((one) => ({ ...one, rows: 390 }));
  t.is(plan(wide).length, 32);
});

test('a batch never holds two namespaces; a merged request may', (t) => {
  const places = ['a', 'b'];
  t.is(plan(places.map((namespace) => traveller(written(`sum(m)/${namespace}`, { namespace })))).length, 2);
  t.is(plan(places.map((namespace) => traveller(ofWorkload({ namespace })))).length, 1);
});

test('what cannot share travels alone', (t) => {
  const loners = [
    traveller(written('sum(b)'), { apart: true }),
    traveller(ofWorkload({ workload: 'x' }), { apart: true }),
    traveller(written('scalar(a)')),
    traveller(written('sum({job="a"})')),
    traveller(written('sum(a{b="\\\\"})')),
    traveller(written('sum by (external_scaler_slot) (a)')),
  ];
  t.is(plan([...loners, ...queries]).length, loners.length + 1);
});

test('the age comes with the value', async (t) => {
  const asked = traveller(written('a + rate(b[10m])', { maxAgeMs: 60_000 }));
  const at = (newest: number, any: number) => (_: string, call: number) =>
    answer(
      row(call, { external_scaler_slot: '0' }),
      { ...row(newest, { external_scaler_slot: '1' }), at: askedAt },
      { ...row(any, { external_scaler_slot: '2' }), at: askedAt },
    );
  const age = async (reply: Reply) => {
    const { first } = await travel([asked], reply);
    return first?.outcome instanceof Failure ? first.outcome : askedAt - (first?.outcome.dataAt ?? 0);
  };
  t.is(await age(at(999_970, 999_990)), 30_000);
  t.is(await age(at(999_990, 0)), 600_000, 'there is data in the range, and none in the look-back');
  t.is(await age(() => answer(row(1, { external_scaler_slot: '0' }))), 0, 'no selector has data');
});

test('the age is what Sysdig says at its own time, whatever our clock says', async (t) => {
  const { first } = await travel([traveller(written('sum(a)', { maxAgeMs: 60_000 }))], () => {
    const theirs = askedAt - 240_000;
    return answer(row(1, { external_scaler_slot: '0' }), {
      labels: { external_scaler_slot: '1' },
      value: (theirs - 20_000) / 1000,
      at: theirs,
    });
  });
  t.like(first, { outcome: { dataAt: askedAt - 20_000 } });
});

test('an age that is refused or cut does not break the query', async (t) => {
  for (const reply of [refusal(), undefined]) {
    const { first, asked, values } = await travel(
      [traveller(written('sum(a)', { maxAgeMs: 60_000 }))],
      (expression) => {
        if (expression.includes('timestamp') && reply) throw reply;
        return { series: [row(4)], warnings: expression.includes('timestamp') ? ['too many'] : [] };
      },
    );
    t.deepEqual(values, [4]);
    t.like(first, { ageless: true, offender: false, outcome: { dataAt: askedAt } });
    t.is(asked[1], 'sum(a)');
  }
});

test('a query that fails also without its age is not held to be ageless', async (t) => {
  const { first, values } = await travel([traveller(written('sum(a)', { maxAgeMs: 60_000 }))], () => {
    throw refusal();
  });
  t.deepEqual(values, ['invalid']);
  t.false(first?.ageless);
});
