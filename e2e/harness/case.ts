import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { kubeconfig } from '#e2e/control-plane/credentials.ts';
import { RawApi, type RawObject } from '#e2e/control-plane/raw-api.ts';
import { type Given, given } from '#e2e/harness/given.ts';
import { release, rendered, type Values } from '#e2e/harness/helm.ts';
import { ReplicaHistory } from '#e2e/harness/replica-history.ts';
import { systemClock } from '#src/clock.ts';
import { connect } from '#src/cluster/connection.ts';
import { type ScalerProcess, startScaler } from '#test/harness/scaler-process.ts';

const untilMs = 60_000;
const lookMs = 20;

/** So many stories of one file go on at once: each starts a scaler, which is more than a wait. */
const mostOpen = 5;
let open = 0;
const waiting: (() => void)[] = [];

async function enter(): Promise<void> {
  if (open >= mostOpen) await new Promise<void>((resolve) => waiting.push(resolve));
  else open++;
}

function leave(): void {
  const next = waiting.shift();
  if (next === undefined) open--;
  else next();
}

/** One story: a namespace of its own, and what runs in it. Everything ends with the test. */
export async function openCase(t: ExecutionContext, name: string): Promise<Case> {
  await enter();
  t.teardown(leave);
  const one = new Case(t, given(), `${name}-${randomBytes(3).toString('hex')}`);
  await one.open();
  return one;
}

export class Case {
  readonly namespace: string;
  /** With full rights. */
  readonly api: RawApi;
  readonly replicas: ReplicaHistory;
  /** For whatever files it needs. */
  readonly folder = mkdtempSync(join(tmpdir(), 'e2e-case-'));
  readonly #t: ExecutionContext;
  readonly #given: Given;
  readonly #scalers: ScalerProcess[] = [];
  #installed = false;

  constructor(t: ExecutionContext, all: Given, namespace: string) {
    this.#t = t;
    this.#given = all;
    this.namespace = namespace;
    const connection = connect(
      { kind: 'file', path: all.kubeconfig },
      { clock: systemClock, onRequest() {} },
    );
    this.api = new RawApi(connection);
    this.replicas = new ReplicaHistory(connection, namespace);
  }

  /** The namespace that the scaler itself is installed in. */
  get home(): string {
    return `${this.namespace}-home`;
  }

  get kedaMetrics(): string {
    return this.#given.kedaMetrics;
  }

  async open(): Promise<void> {
    await this.api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } }]);
    await this.replicas.start();
    this.#t.teardown(() => this.#close());
  }

  /** Applies objects to the case's namespace, unless they name another. */
  async apply(...objects: readonly object[]): Promise<void> {
    const placed = (objects as RawObject[]).map((object) => ({
      ...object,
      metadata: { namespace: this.namespace, ...object.metadata },
    }));
    await this.api.apply(placed);
  }

  get(kind: string, name: string, apiVersion = 'v1'): Promise<RawObject | undefined> {
    return this.api.get(apiVersion, kind, this.namespace, name);
  }

  /** Those of a workload made by `workload()`, oldest first. */
  async pods(name: string): Promise<RawObject[]> {
    const pods = await this.api.list('v1', 'Pod', this.namespace, `?labelSelector=app%3D${name}`);
    return pods.sort((a, b) => String(a.metadata.name).localeCompare(String(b.metadata.name)));
  }

  /** Once so many are Ready. */
  readyPods(name: string, count: number): Promise<RawObject[]> {
    return this.until(`${count} Ready pods of ${name}`, async () => {
      const ready = (await this.pods(name)).filter(isReady);
      return ready.length >= count ? ready : undefined;
    });
  }

  /** Makes pods Ready that would take long to become so by themselves. */
  async makeReady(pods: readonly RawObject[]): Promise<void> {
    const now = new Date().toISOString();
    for (const { metadata } of pods) {
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now }];
      await this.api.merge(
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { namespace: this.namespace, name: metadata.name },
          status: { phase: 'Running', conditions },
        },
        '/status',
      );
    }
  }

  /** What a scaler's /status says. */
  async status(scaler: ScalerProcess): Promise<RawObject> {
    return (await (await fetch(`${scaler.operations}/status`)).json()) as RawObject;
  }

  /** The value of a metric of a scaler's, by its name with its labels as they are written. */
  async metric(scaler: ScalerProcess, name: string): Promise<number> {
    const text = await (await fetch(`${scaler.operations}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? 0 : Number(line.slice(name.length + 1));
  }

  /** The Events about an object, as `reason: message`. */
  async events(about: string): Promise<string[]> {
    const events = await this.api.list('v1', 'Event', this.namespace);
    return events
      .filter(({ involvedObject }) => involvedObject.name === about)
      .map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** Rejects with what was last seen when it does not come. */
  async until<T>(
    what: string,
    look: () => T | undefined | false | Promise<T | undefined | false>,
    timeoutMs = untilMs,
  ): Promise<T> {
    for (const end = Date.now() + timeoutMs; ; await pause(lookMs)) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() >= end) throw new Error(`${what}: did not come within ${timeoutMs / 1_000} s`);
    }
  }

  /** The time when it was seen. */
  async untilReplicas(name: string, wanted: number, timeoutMs = 90_000): Promise<number> {
    await this.until(
      `${wanted} replicas of ${name}`,
      () => this.replicas.now(name) === wanted,
      timeoutMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; there are ${this.replicas.now(name)}`);
    });
    return this.replicas.since(name, Date.now()).at(-1)?.at ?? Date.now();
  }

  /** KEDA has made the HPA and streams stand. */
  async untilReady(name: string): Promise<void> {
    await this.until(`ScaledObject ${name} Ready`, async () => {
      const conditions =
        (await this.get('ScaledObject', name, 'keda.sh/v1alpha1'))?.['status']?.conditions ?? [];
      return conditions.some(
        ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True',
      );
    });
  }

  /** A scaler of its own process under the ServiceAccount and the roles of the chart. */
  async startScaler(environment: Readonly<Record<string, string>> = {}): Promise<ScalerProcess> {
    await this.install();
    return this.adopt(
      await startScaler({
        KUBECONFIG: await this.kubeconfigOf(release),
        WATCH_NAMESPACES: this.namespace,
        CLUSTER_NAME: 'e2e',
        LOG_LEVEL: 'debug',
        JOURNAL: `sqlite:${join(this.folder, `journal-${this.#scalers.length}.db`)}`,
        ...environment,
      }),
    );
  }

  /** Ends a scaler with the case, and keeps its log. */
  adopt(scaler: ScalerProcess): ScalerProcess {
    this.#scalers.push(scaler);
    return scaler;
  }

  /** Falco's alert about a pod, sent to a scaler's ingest; again while that sheds, on a machine that is busy with other cases. */
  async alert(scaler: ScalerProcess, pod: string, fields: AlertFields = {}): Promise<void> {
    const {
      rule = 'Drop and execute new binary in container',
      priority = 'Critical',
      uid,
      host,
      at = Date.now(),
    } = fields;
    const { namespace = this.namespace, cluster, token } = fields;
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({
        time: new Date(at).toISOString(),
        rule,
        priority,
        source: 'syscall',
        hostname: host,
        tags: ['container'],
        output: rule,
        output_fields: {
          'k8s.ns.name': namespace,
          'k8s.pod.name': pod,
          ...(uid && { 'k8s.pod.uid': uid }),
          ...(cluster && { 'k8s.cluster.name': cluster }),
        },
      }),
    };
    await this.until('the ingest takes an alert', async () => {
      const { status } = await fetch(`${scaler.ingest}/ingest/falco`, request);
      if (status !== 204 && status !== 503) throw new Error(`the ingest answers ${status}`);
      return status === 204;
    });
  }

  /** A figure for the table at the end of the run. */
  report(what: string, value: number, unit = 'ms'): void {
    appendFileSync(this.#given.timings, `${JSON.stringify({ what, value, unit })}\n`);
    this.#t.log(`${what}: ${Math.round(value * 10) / 10} ${unit}`);
  }

  /** The chart's ServiceAccount, and its roles for everything or for less; once. */
  async install(values: Values = {}): Promise<void> {
    if (this.#installed) return;
    this.#installed = true;
    const everything = {
      clusterName: 'e2e',
      watchNamespaces: [this.namespace],
      surge: { mode: 'on' },
      reaper: { mode: 'on', rules: ['*'] },
      quarantine: { mode: 'on' },
    };
    const objects = await rendered({ ...everything, ...values }, this.home);
    await this.api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.home } }]);
    await this.api.apply(
      objects.filter(({ kind, apiVersion }) => kind === 'ServiceAccount' || apiVersion.startsWith('rbac.')),
    );
  }

  /** The path of a kubeconfig with a token of a ServiceAccount, of the scaler's own namespace unless told. */
  async kubeconfigOf(serviceAccount: string, namespace = this.home): Promise<string> {
    const { server, ca } = this.#given;
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}`;
    const { status } = await this.api.create(`${account}/token`, { spec: { expirationSeconds: 3_600 } });
    const path = join(this.folder, `${serviceAccount}-${this.#scalers.length}.kubeconfig`);
    const user = { token: status.token };
    writeFileSync(path, kubeconfig({ server, ca: readFileSync(ca), namespace, user }));
    return path;
  }

  /** One with rubbish for a token. */
  async writeKubeconfig(path: string, server: string): Promise<void> {
    const ca = readFileSync(this.#given.ca);
    writeFileSync(path, kubeconfig({ server, ca, namespace: this.home, user: { token: 'rubbish' } }));
  }

  async #close(): Promise<void> {
    this.replicas.stop();
    await Promise.all(this.#scalers.map((scaler) => scaler.stop()));
    for (const [number, { lines }] of this.#scalers.entries()) {
      writeFileSync(join(this.#given.logs, `${this.namespace}-scaler-${number}.log`), lines.join('\n'));
    }
    await this.api.delete('v1', 'Namespace', '', this.namespace).catch(() => {});
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface AlertFields {
  readonly rule?: string;
  readonly priority?: string;
  readonly uid?: string | undefined;
  readonly host?: string | undefined;
  /** Epoch ms. */
  readonly at?: number;
  readonly namespace?: string;
  readonly cluster?: string;
  /** Of the ingest's credential. */
  readonly token?: string;
}

export function isReady({ metadata, status }: RawObject): boolean {
  if (metadata['deletionTimestamp'] !== undefined) return false;
  return (status?.conditions ?? []).some(
    (condition: { type: string; status: string }) =>
      condition.type === 'Ready' && condition.status === 'True',
  );
}
