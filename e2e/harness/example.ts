import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { parseObjects, type RawObject } from '#e2e/control-plane/raw-api.ts';
import { readyAfter } from '#e2e/control-plane/stages.ts';
import { type Case, openCase } from '#e2e/harness/case.ts';
import { startConfiguredPrometheus, type Target } from '#e2e/harness/configured-prometheus.ts';
import { Exporter } from '#e2e/harness/exporter.ts';
import type { Values } from '#e2e/harness/helm.ts';
import { demandRestricted, installChart } from '#e2e/harness/installed-chart.ts';
import { kubectl } from '#e2e/harness/kubectl.ts';
import { LiveSysdig } from '#e2e/harness/live-sysdig.ts';
import { startNameServer } from '#e2e/harness/name-server.ts';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

/** What the cluster is called in the examples' queries. */
export const cluster = 'demo';
const tickMs = 500;

/** What Falco's credential of the ingest is. */
const token = 'falco-token';

/** Secrets by name, key and text. */
type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ExampleOptions {
  /** In the scaler's namespace, beside the tokens of Sysdig and Falco. */
  readonly secrets?: Secrets;
  /** What Sysdig's agents scrape beside the values that a case sets. */
  readonly targets?: (story: Case) => readonly Target[];
  /** How long pods take to become Ready, `20s`; kwok's are Ready at once. */
  readonly readyAfter?: string;
}

/**
 * A folder of examples/ in a namespace of its own, with a Sysdig whose values the case sets and a scaler from the chart, which
 * is installed with the example's own `settings/values.yaml` where it has one. Nothing is applied yet.
 */
export async function openExample(
  t: ExecutionContext,
  folder: string,
  { secrets = {}, targets = () => [], readyAfter: delay }: ExampleOptions = {},
): Promise<Example> {
  const story = await openCase(t, folder.replaceAll('/', '-'));
  await demandRestricted(story.api, story.namespace);
  const exporter = new Exporter();
  await exporter.listen();
  const prometheus = await startConfiguredPrometheus([exporter, ...targets(story)]);
  const sysdig = new LiveSysdig(exporter, prometheus);
  await sysdig.open();
  t.teardown(() => sysdig.stop());
  const falco = { credentials: { falco: { existingSecret: 'falco-ingest' } } };
  const installed = await installChart(
    story,
    [{ ...sysdig.values, clusterName: cluster, ingest: falco }, ...settingsOf(folder)],
    { ...sysdig.secrets, 'falco-ingest': { token }, ...secrets },
  );
  const scaler = await installed.start();
  const [host = ''] = scaler.grpc.split(':');
  const names = await startNameServer(() => [host]);
  t.teardown(() => names.stop());
  const example = new Example({ folder, story, scaler, sysdig, exporter, delay, names: names.address });
  t.teardown(() => example.close());
  return example;
}

/** The values that an example tells its readers to install the chart with. */
function settingsOf(folder: string): Values[] {
  const file = join('examples', folder, 'settings', 'values.yaml');
  return existsSync(file) ? [parse(readFileSync(file, 'utf8'))] : [];
}

interface Parts {
  readonly folder: string;
  readonly story: Case;
  readonly scaler: ScalerProcess;
  readonly sysdig: LiveSysdig;
  readonly exporter: Exporter;
  readonly delay: string | undefined;
  /** Of the DNS. */
  readonly names: string;
}

export class Example {
  readonly story: Case;
  readonly scaler: ScalerProcess;
  readonly sysdig: LiveSysdig;
  readonly #folder: string;
  readonly #exporter: Exporter;
  readonly #delay: string | undefined;
  readonly #names: string;
  readonly #counters = new Map<string, Counter>();
  readonly #ticking = setInterval(() => this.#tick(), tickMs);

  constructor({ folder, story, scaler, sysdig, exporter, delay, names }: Parts) {
    this.#folder = folder;
    this.story = story;
    this.scaler = scaler;
    this.sysdig = sysdig;
    this.#exporter = exporter;
    this.#names = names;
    this.#delay = delay;
  }

  close(): void {
    clearInterval(this.#ticking);
  }

  /** `kubectl apply` of the folder, or of another one. */
  async apply(folder = this.#folder): Promise<void> {
    const items = await this.placed(folder);
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  }

  /** The folder's objects with nothing changed but what this cluster differs in. */
  async placed(folder = this.#folder): Promise<RawObject[]> {
    return (await readExample(folder)).map((object) => this.#place(object));
  }

  /** Lets a counter grow. `series` as PromQL selects it. */
  grow(series: string, perSecond: number): void {
    const counter = this.#counters.get(series);
    const now = performance.now();
    this.#counters.set(series, {
      from: counter === undefined ? 0 : countAt(counter, now),
      perSecond,
      since: now,
    });
    this.#tick();
  }

  /** The load of a workload in requests per second, as `http_requests_total` of one of its pods. */
  load(workload: string, perSecond: number): void {
    this.grow(`http_requests_total{${this.labels(workload)},kube_pod_name="${workload}-1"}`, perSecond);
  }

  /** The labels that Sysdig puts on what a Deployment's pods expose. */
  labels(workload: string): string {
    const { namespace } = this.story;
    return `kube_cluster_name="${cluster}",kube_namespace_name="${namespace}",kube_workload_type="deployment",kube_workload_name="${workload}"`;
  }

  /** Falco reports these pods. */
  async infect(pods: readonly RawObject[]): Promise<void> {
    for (const { metadata, spec } of pods) {
      await this.story.alert(this.scaler, metadata.name, {
        uid: String(metadata['uid']),
        host: spec.nodeName,
        token,
      });
    }
  }

  #tick(): void {
    const now = performance.now();
    for (const [series, counter] of this.#counters)
      this.#exporter.set(series, Math.round(countAt(counter, now)));
  }

  #place(object: RawObject): RawObject {
    const { namespace } = this.story;
    const placed = JSON.parse(
      JSON.stringify(object)
        .replaceAll('"namespace":"shop"', `"namespace":"${namespace}"`)
        .replaceAll('kube_namespace_name=\\"shop\\"', `kube_namespace_name=\\"${namespace}\\"`),
    ) as RawObject;
    if (placed.kind === 'Deployment' && this.#delay !== undefined) {
      const { metadata } = placed['spec'].template;
      metadata.annotations = { ...metadata.annotations, [readyAfter]: this.#delay };
    }
    if (placed.kind !== 'ScaledObject') return placed;
    // A test waits for what a user would not.
    placed['spec'].pollingInterval = 5;
    placed['spec'].cooldownPeriod = 5;
    for (const { metadata } of placed['spec'].triggers)
      metadata.scalerAddress = `dns://${this.#names}/${metadata.scalerAddress}`;
    return placed;
  }
}

/** The objects of a folder, those that kustomize makes where there is a kustomization. */
export async function readExample(folder: string): Promise<RawObject[]> {
  const path = join('examples', folder);
  if (existsSync(join(path, 'kustomization.yaml'))) return parseObjects(await kubectl(['kustomize', path]));
  const files = readdirSync(path).filter((file) => file.endsWith('.yaml'));
  return files.sort().flatMap((file) => parseObjects(readFileSync(join(path, file), 'utf8')));
}

interface Counter {
  readonly from: number;
  readonly perSecond: number;
  /** Of performance.now(). */
  readonly since: number;
}

function countAt({ from, perSecond, since }: Counter, now: number): number {
  return from + (perSecond * (now - since)) / 1_000;
}
