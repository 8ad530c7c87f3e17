import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { parseAllDocuments } from 'yaml';
import { surplus } from '#src/sources/attacks/metrics/surplus.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import { findProgram, freePort } from '#test/harness/guarded-program.ts';
import { chooseReplicas } from '../demo/hpa.ts';
import { readScaledObjects } from '../demo/scaled-objects.ts';

const folders = readdirSync('examples');
const objects = readScaledObjects('examples/**/*.yaml');
const manifests = globSync('examples/**/*.yaml')
  .filter((file) => !isSettings(file))
  .flatMap((file) => documentsOf(file).map((manifest) => ({ file, manifest })));

test('every story has its folder', (t) => {
  t.deepEqual(folders.sort(), [
    'attack-and-load',
    'attack-outgrow',
    'attack-scale-out',
    'falco',
    'falco-to-alertmanager',
    'follow-another-workload',
    'http-requests',
    'jvm-and-friends',
    'podlist',
    'sysdig',
    'tls',
  ]);
});

for (const folder of folders) {
  test(`${folder} has a README of about ten lines that says how to apply it`, (t) => {
    const lines = linesOf(folder);
    t.true(lines.length >= 7 && lines.length <= 16, `it has ${lines.length}`);
    t.regex(lines[0] ?? '', /^# /);
    t.regex(lines.join('\n'), /kubectl apply -[fk] examples\/|helm upgrade/);
  });
}

for (const { file, namespace, name, triggers } of objects) {
  test(`${file}: ${name} is valid`, (t) => {
    for (const { metadata } of triggers) {
      const parsed = parseTrigger({ namespace, name, scalerMetadata: metadata }, { cluster: undefined });
      t.is(parsed.kind === 'valid' ? '' : parsed.failure.message, '');
      t.is(metadata['scalerAddress'], 'external-scaler-sysdig.keda.svc:6000');
    }
  });

  test(`${file}: ${name} scales a workload that lies beside it`, (t) => {
    const deployed = manifests.filter((one) => dirname(one.file) === dirname(file));
    const target = deployed.find(
      ({ manifest }) => manifest.kind === 'Deployment' && manifest.metadata.name === name,
    );
    t.is(target?.manifest.metadata.namespace, namespace);
    t.is(target?.manifest['spec'].replicas, undefined, 'the replicas are KEDA’s');
  });
}

test('an example about attacks is bounded, and says what a ten-minute attack leads to', (t) => {
  const attacked = objects.filter(({ triggers }) =>
    triggers.some(({ metadata }) => metadata['source'] === 'falco' || metadata['thresholdUnderAttack']),
  );
  t.is(attacked.length, 5);
  for (const { file, name } of attacked) {
    const scaled = manifests.find(
      (one) =>
        one.file === file && one.manifest.kind === 'ScaledObject' && one.manifest.metadata.name === name,
    );
    const most = scaled?.manifest['spec'].maxReplicaCount;
    t.is(typeof most, 'number', file);
    const text = linesOf(file.split('/')[1] ?? '').join(' ');
    t.regex(text, /ten-minute attack/);
    t.regex(text, new RegExp(`maxReplicaCount\`,? (\\*\\*)?${most}\\b`));
  }
});

test('attack-outgrow: what its README says of ten minutes is what the formula gives', (t) => {
  const outageMs = 20_000;
  const windowMs = 300_000;
  const replicasWith = (everyMs: number) =>
    Array.from({ length: 600_000 / everyMs }, (_, index) => {
      const lasted = index * everyMs;
      const infections = Math.min(index + 1, windowMs / everyMs);
      const exposureMs = Math.min(windowMs, Math.max(outageMs, lasted));
      return 6 + surplus({ infections, exposureMs, outageMs, confidence: 0.99, most: 12 });
    });
  const slow = replicasWith(60_000);
  t.is(slow[0], 13);
  t.is(Math.max(...slow), 13);
  t.is(slow.at(-1), 8);
  t.is(Math.max(...replicasWith(20_000)), 16);
});

test('names meet nowhere, and whatever has a namespace is in shop or in keda', (t) => {
  const ids = manifests
    .filter(({ manifest }) => manifest.kind !== 'Kustomization')
    .map(({ manifest: { kind, metadata } }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  t.deepEqual([...new Set(ids)].length, ids.length, ids.sort().join('\n'));
  for (const { file, manifest } of manifests) {
    const { kind } = manifest;
    if (kind === 'Kustomization' || kind === 'ClusterTriggerAuthentication') continue;
    const wanted = ['Issuer', 'Certificate', 'Ingress'].includes(kind) ? 'keda' : 'shop';
    t.is(manifest.metadata.namespace, wanted, `${file}: ${kind} ${manifest.metadata.name}`);
  }
});

test('a role is bound to the account that its workload runs under', (t) => {
  const bindings = manifests.filter(({ manifest }) => manifest.kind === 'RoleBinding');
  t.is(bindings.length, 1);
  for (const { file, manifest } of bindings) {
    const beside = manifests.filter((one) => dirname(one.file) === dirname(file)).map((one) => one.manifest);
    const [{ kind, name, namespace }] = manifest['subjects'];
    const account = beside.find((one) => one.kind === kind && one.metadata.name === name);
    t.is(account?.metadata.namespace, namespace);
    const deployment = beside.find((one) => one.kind === 'Deployment');
    t.is(deployment?.['spec'].template.spec.serviceAccountName, name);
    t.is(manifest['roleRef'].name, beside.find((one) => one.kind === 'Role')?.metadata.name);
  }
});

test('every workload is restricted, is probed, and has no token that it does not use', (t) => {
  const deployments = manifests.filter(({ manifest }) => manifest.kind === 'Deployment');
  t.true(deployments.length >= 10);
  for (const { file, manifest } of deployments) {
    const { securityContext, containers, automountServiceAccountToken } = manifest['spec'].template.spec;
    t.is(automountServiceAccountToken, file.includes('podlist'), file);
    t.is(securityContext.runAsNonRoot, true, file);
    t.is(securityContext.seccompProfile.type, 'RuntimeDefault', file);
    for (const container of containers) {
      t.like(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
      t.deepEqual(container.securityContext.capabilities.drop, ['ALL'], file);
      t.truthy(container.readinessProbe && container.livenessProbe, file);
      t.truthy(container.resources.requests && container.resources.limits, file);
    }
  }
});

test('values and settings are YAML, and so is the rule that stands in them', (t) => {
  for (const file of globSync('examples/**/*.yaml').filter(isSettings)) {
    for (const { customRules = {} } of documentsOf(file) as { customRules?: Record<string, string> }[]) {
      for (const text of Object.values(customRules)) {
        const [rules] = parseAllDocuments(text).map((document) => document.toJS());
        const keys = ['rule', 'desc', 'condition', 'output', 'priority', 'source', 'tags'];
        t.deepEqual(Object.keys(rules[0]), keys);
      }
    }
  }
  t.pass();
});

test('podlist: the kustomization holds every file of its folder', (t) => {
  const [kustomization] = documentsOf('examples/podlist/kustomization.yaml');
  const { resources, configMapGenerator } = kustomization as unknown as {
    resources: string[];
    configMapGenerator: { files: string[] }[];
  };
  const named = [...resources, ...configMapGenerator.flatMap(({ files }) => files)];
  const there = readdirSync('examples/podlist').filter((file) => !/README|kustomization/.test(file));
  t.deepEqual(named.sort(), there.sort());
});

test('podlist: without an answer of the Kubernetes API it says so, counts that, and ends when told', async (t) => {
  const port = await freePort();
  const podlist = spawn(process.execPath, ['examples/podlist/podlist.mjs'], {
    // Nothing listens there, and there is no account.
    env: { PORT: String(port), ACCOUNT: '/nowhere', KUBERNETES_SERVICE_HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => podlist.kill('SIGKILL'));
  await once(podlist.stdout, 'data');
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()] as const;
  };
  t.deepEqual(await get('/healthz'), [200, 'ok\n']);
  const [status, text] = await get('/');
  t.is(status, 503);
  t.regex(text, /the Kubernetes API does not tell: /);
  t.regex((await get('/metrics'))[1], /http_requests_total\{status="503"\} 1\n/);
  t.is((await get('/../account'))[0], 404);
  podlist.kill('SIGTERM');
  t.deepEqual(await once(podlist, 'exit'), [0, null]);
});

const labels = {
  rule: 'Shell in the shop',
  priority_raw: 'critical',
  source: 'syscall',
  hostname: 'node-1',
  k8s_ns_name: 'shop',
  k8s_pod_name: 'invoices-1',
};
const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
const series = `falcosecurity_falcosidekick_falco_events_total{${pairs.join()}}`;
const summary = { summary: 'Shell in the shop in shop/invoices-1' };

for (const [what, values, at, fires] of [
  ['hears the first event of a pod, whose series starts at 1', '_x4 1x20', '2m30s', true],
  ['is silent two minutes after the last event', '_x4 1x40', '4m', false],
  ['hears a further event', '1x40 2x20', '11m', true],
  ['does not take an old series for a new one after failed scrapes', '1x20 _x40 1x20', '16m', false],
] as const) {
  test(`falco-to-alertmanager: the rule ${what}`, async (t) => {
    const firing = { exp_labels: labels, exp_annotations: summary };
    await promtool(t, {
      evaluation_interval: '15s',
      tests: [
        {
          interval: '15s',
          input_series: [{ series, values }],
          alert_rule_test: [
            { eval_time: at, alertname: 'FalcoInfection', exp_alerts: fires ? [firing] : [] },
          ],
        },
      ],
    });
    t.pass();
  });
}

/** Rejects with promtool's words where the example's rules do not behave so. */
async function promtool(t: ExecutionContext, tests: object): Promise<void> {
  const program = await findProgram('promtool');
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [rule] = documentsOf('examples/falco-to-alertmanager/prometheusrule.yaml');
  writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(rule?.['spec']));
  writeFileSync(join(folder, 'tests.yaml'), JSON.stringify({ rule_files: ['rules.yaml'], ...tests }));
  const run = promisify(execFile);
  await run(program, ['check', 'rules', '--lint-fatal', join(folder, 'rules.yaml')]);
  await run(program, ['test', 'rules', join(folder, 'tests.yaml')]);
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever the kind has
  [key: string]: any;
}

/** Throws on what is no YAML. */
function documentsOf(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
    return document.toJS() as Manifest;
  });
}

/** Files for other programs than kubectl. */
function isSettings(file: string): boolean {
  return ['falco', 'settings'].includes(basename(dirname(file)));
}

/** The lines of a folder's README that say something; a table is one. */
function linesOf(folder: string): string[] {
  const lines = readFileSync(join('examples', folder, 'README.md'), 'utf8').split('\n');
  return lines.filter(
    (line, index) => line.trim() !== '' && !(line.startsWith('|') && lines[index - 1]?.startsWith('|')),
  );
}

const bounds = { min: 0, max: 10 };

test('replicas are chosen as an HPA would', (t) => {
  const metricType = 'AverageValue';
  // KEDA's own end-to-end figures.
  t.is(chooseReplicas({ value: 10, target: 10, metricType }, 0, bounds), 1);
  t.is(chooseReplicas({ value: 20, target: 10, metricType }, 1, bounds), 2);
  t.is(chooseReplicas({ value: 22.222, target: 6.111, metricType }, 1, bounds), 4);
  t.is(chooseReplicas({ value: 22.222, target: 6.111, metricType }, 1, { min: 0, max: 3 }), 3);
  t.is(chooseReplicas({ value: 105, target: 10, metricType }, 10, { min: 0, max: 20 }), 10);
  t.is(chooseReplicas({ value: 90, target: 60, metricType: 'Value' }, 4, bounds), 6);
});
