import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import type { Sender } from '#src/alerts/alert.ts';
import { jsonValues } from '#src/ingest/json-values.ts';
import { type Parser, Reading } from '#src/ingest/reading.ts';
import { parseAlertmanager } from '#src/ingest/senders/alertmanager.ts';
import { parseFalco } from '#src/ingest/senders/falco.ts';
import { parseFluentBit } from '#src/ingest/senders/fluentbit.ts';
import { parseSysdig } from '#src/ingest/senders/sysdig.ts';
import { falcoAlert } from '#test/harness/falco-alert.ts';

const parsers: Readonly<Record<Sender, Parser>> = {
  falco: parseFalco,
  sysdig: parseSysdig,
  alertmanager: parseAlertmanager,
  fluentbit: parseFluentBit,
};

function read(sender: Sender, text: string): Reading {
  const reading = new Reading();
  for (const value of jsonValues(text, reading)) parsers[sender](value, reading);
  return reading;
}

function sample(name: string): string {
  return readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8');
}

const at = Date.UTC(2025, 10, 21, 6, 34, 35);
const drop = 'Drop and execute new binary in container';
const shell = 'Terminal shell in container';

const alerts: [file: string, sender: Sender, expected: object[]][] = [
  [
    'falco-http-output.json',
    'falco',
    [
      {
        at: at + 123,
        rule: drop,
        priority: 'Critical',
        source: 'syscall',
        tags: ['container', 'mitre_persistence', 'process'],
        namespace: 'shop',
        pod: 'cart-5d8f7c94b6-q7zpl',
        podUid: '0b9d6a8e-6a1c-4f0e-9a53-0f2f1c7a2d11',
        host: 'worker-3',
        id: undefined,
      },
    ],
  ],
  [
    'falcosidekick-webhook.json',
    'falco',
    [{ at: at + 123, source: 'syscall', namespace: 'shop', pod: 'db-0', cluster: 'prod-eu', id: undefined }],
  ],
  [
    'falco-host-process.json',
    'falco',
    [{ at: undefined, priority: 'Notice', namespace: '', pod: '', tags: [] }],
  ],
  [
    'falco-k8s-audit.json',
    'falco',
    [{ at, source: 'k8s_audit', priority: 'Warning', namespace: 'shop', pod: 'privileged-7c9d5f6b44-hh2kx' }],
  ],
  [
    'cloudevent.json',
    'falco',
    [
      {
        at: at + 900,
        namespace: 'shop',
        pod: 'till-6b4f9c7d58-zzz2k',
        podUid: 'u-77',
        workload: { kind: 'deployment', name: 'till' },
      },
    ],
  ],
  [
    'sysdig-secure.json',
    'sysdig',
    [
      {
        at: at + 123,
        rule: 'Drift: new executable',
        priority: 'Critical',
        tags: ['drift', 'mitre_execution'],
        namespace: 'shop',
        pod: 'checkout-7d9f8b6c5d-x2x4z',
        workload: { kind: 'deployment', name: 'checkout' },
        cluster: 'prod-eu',
        id: '17a2f3c4d5e6f708',
      },
    ],
  ],
  [
    'alertmanager-firing.json',
    'alertmanager',
    [
      {
        at: at + 123 - 2 * 3_600_000,
        ended: false,
        rule: shell,
        priority: 'Critical',
        namespace: 'shop',
        pod: 'checkout-7d9f8b6c5d-x2x4z',
      },
    ],
  ],
  ['alertmanager-resolved.json', 'alertmanager', [{ ended: true, rule: shell }]],
  [
    'fluent-bit.ndjson',
    'fluentbit',
    [
      { at: at + 123, rule: shell, pod: 'web-0' },
      { at: at + 1_500, rule: 'Write below etc', pod: 'web-1' },
    ],
  ],
];

for (const [file, sender, expected] of alerts) {
  test(`${file} is read as ${sender} means it`, (t) => {
    const reading = read(sender, sample(file));
    t.is(reading.alerts.length, expected.length);
    for (const [index, parts] of expected.entries()) t.like(reading.alerts[index], parts);
    t.is(reading.malformed, 0);
  });
}

for (const file of ['falco-internal.json', 'falcosidekick-test.json']) {
  test(`${file} is a sign of life, and no attack`, (t) => {
    t.like(read('falco', sample(file)), { signsOfLife: 1, alerts: [], malformed: 0 });
  });
}

test('the same Alertmanager alert has the same identity whether it fires or is resolved', (t) => {
  const [firing] = read('alertmanager', sample('alertmanager-firing.json')).alerts;
  const [resolved] = read('alertmanager', sample('alertmanager-resolved.json')).alerts;
  t.is(firing?.id, resolved?.id);
  t.truthy(firing?.id);
});

test('a namespace or a pod is never read out of the text', (t) => {
  const [alert] = read(
    'falco',
    JSON.stringify({
      ...falcoAlert({ namespace: null, pod: null }),
      output: 'k8s_ns_name=bank k8s_pod_name=vault-0',
    }),
  ).alerts;
  t.like(alert, { namespace: '', pod: '' });
});

test('the times that senders write are read, and a broken one is no time', (t) => {
  const timeOf = (parts: object) =>
    read('falco', JSON.stringify({ ...falcoAlert(), ...parts })).alerts[0]?.at;
  t.is(timeOf({ time: '2025-11-21T06:34:35.999999999Z' }), at + 999);
  t.is(timeOf({ time: '2025-11-21T08:34:35.5+02:00' }), at + 500);
  t.is(timeOf({ time: '2025-11-21T06:34:35Z+2' }), undefined);
  t.is(timeOf({ time: '2025-02-31T06:34:35Z' }), undefined);
  t.is(timeOf({ time: undefined, output_fields: { 'evt.time': at * 1_000_000 } }), at);
  t.is(timeOf({ time: undefined, output_fields: { 'evt.time': at * 1_000 } }), at);
});

test('priorities come in any case', (t) => {
  const priorityOf = (priority: unknown) =>
    read('falco', JSON.stringify({ ...falcoAlert(), priority })).alerts[0]?.priority;
  t.is(priorityOf('info'), 'Informational');
  t.is(priorityOf('INFORMATIONAL'), 'Informational');
  t.is(priorityOf('emergency'), 'Emergency');
  t.is(priorityOf('high'), undefined);
});

test('a partly bad body keeps its good alerts, and tells what was expected of the others', (t) => {
  const body = JSON.stringify([falcoAlert(), { rule: 5 }, 'x', { ...falcoAlert(), priority: 'high' }]);
  const reading = read('falco', body);
  t.is(reading.alerts.length, 1);
  t.is(reading.malformed, 3);
  t.regex(reading.problems.join('\n'), /alert 2: rule: expected a text, got 5/);
  t.regex(reading.problems.join('\n'), /alert 4: priority: expected one of Emergency.*got "high"/);
});

test('concatenated JSON is read as well as lines', (t) => {
  const one = JSON.stringify({ ...falcoAlert(), rule: 'braces } in { "strings"' });
  t.is(read('fluentbit', one + one).alerts.length, 2);
  t.is(read('fluentbit', `${one}\n\n${one}\nrubbish\n`).alerts.length, 2);
});

const hostile = fc.constantFrom(
  '__proto__',
  'constructor',
  'a\0b',
  '\ud800x',
  '\u001b[31m',
  'line\nbreak',
  '<NA>',
  '',
);
const anything = fc.anything({
  key: fc.oneof(
    hostile,
    fc.constantFrom('rule', 'priority', 'time', 'output_fields', 'alerts', 'labels', 'content'),
  ),
  values: [fc.string(), hostile, fc.double(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)],
  maxDepth: 4,
});

test('whatever JSON comes, nothing is thrown, no prototype is touched and no problem holds a control character', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom<Sender>('falco', 'sysdig', 'alertmanager', 'fluentbit'),
      anything,
      (sender, value) => {
        const text = JSON.stringify(value) ?? 'undefined';
        const reading = read(sender, text);
        const texts: string[] = [];
        JSON.stringify([reading.problems, reading.alerts], (_, one: unknown) => {
          if (typeof one === 'string') texts.push(one);
          return one;
        });
        return (
          !('polluted' in {}) &&
          Object.getPrototypeOf({}) === Object.prototype &&
          texts.every((text) => !/\p{Cc}|\p{Cs}/u.test(text))
        );
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('duplicate keys, deep nesting and 64-bit integers do no harm', (t) => {
  const twice = `{"rule":"first","rule":"second","priority":"Critical","output_fields":{"__proto__":{"polluted":1},"proc.exe_ino.ctime":18446744073709551615}}`;
  t.is(read('falco', twice).alerts[0]?.rule, 'second');
  t.false('polluted' in {});
  const deep = `{"rule":"r","priority":"Critical","x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
  t.like(read('falco', deep), { alerts: [], malformed: 1 });
  const wide = JSON.stringify({
    ...falcoAlert(),
    output_fields: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, 1])),
  });
  t.is(read('falco', wide).malformed, 1);
});
