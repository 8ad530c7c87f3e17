import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RawApi, RawObject } from '#e2e/control-plane/raw-api.ts';
import type { Case } from '#e2e/harness/case.ts';
import { chart, helm, release, type Values } from '#e2e/harness/helm.ts';
import { type ScalerProcess, startAsGiven } from '#test/harness/scaler-process.ts';

/** Where an image has its own files, which a manifest may name. */
type Mounts = readonly { readonly path: string; readonly folder: string }[];

/**
 * The chart, installed by helm beside a case, in a namespace that enforces the restricted Pod Security Standard. Its pod is
 * played twice: by kwok, for what Kubernetes says to it, and by a process with the arguments, environment, files and
 * ServiceAccount that the applied manifest names.
 */
export class InstalledChart {
  readonly #story: Case;
  readonly #namespace: string;
  readonly #values: readonly Values[];
  /** What helm told after the last installation or upgrade. */
  notes = '';

  constructor(story: Case, namespace: string, values: readonly Values[]) {
    this.#story = story;
    this.#namespace = namespace;
    // Every process listens on the ports of the manifest, on an address of its own.
    const listenHost = `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
    this.#values = [{ listenHost, watchNamespaces: [story.namespace] }, ...values];
  }

  get name(): string {
    return String(this.#values.findLast((one) => one['fullnameOverride'])?.['fullnameOverride'] ?? release);
  }

  /** `helm upgrade --install`, with values on top of the first ones. */
  async upgrade(values: Values = {}): Promise<void> {
    const options = ['upgrade', '--install', this.name, chart, '--namespace', this.#namespace];
    this.notes = await helm(options, ...this.#values, values);
  }

  /** The StatefulSet or the Deployment, as the API server has it. */
  async workload(): Promise<RawObject> {
    for (const kind of ['StatefulSet', 'Deployment']) {
      const found = await this.#story.api.get('apps/v1', kind, this.#namespace, this.name);
      if (found !== undefined) return found;
    }
    throw new Error('the chart has made no workload');
  }

  /** The process of the pod that the manifest describes. */
  async start(): Promise<ScalerProcess> {
    const { spec } = (await this.workload())['spec'].template;
    const [container] = spec.containers;
    const mounts = await this.#mount(container, spec.volumes);
    const environment = Object.fromEntries(
      (container.env as { name: string; value: string }[]).map(({ name, value }) => [
        name,
        relocated(value, mounts),
      ]),
    );
    if (spec.automountServiceAccountToken)
      environment['KUBECONFIG'] = await this.#story.kubeconfigOf(spec.serviceAccountName, this.#namespace);
    return this.#story.adopt(await startAsGiven(environment));
  }

  /** Writes what the kubelet would mount. Paths inside of files lead to where the others are. */
  async #mount(container: RawObject, volumes: readonly RawObject[]): Promise<Mounts> {
    const wanted = (container['volumeMounts'] as { name: string; mountPath: string }[]).map(
      ({ name, mountPath }) => {
        const volume = volumes.find((one) => one['name'] === name) ?? {};
        const claim = (volume as RawObject)['persistentVolumeClaim']?.claimName;
        // A claim outlives its pods.
        const folder = join(this.#story.folder, claim === undefined ? `pod/${name}` : `claims/${claim}`);
        mkdirSync(folder, { recursive: true });
        return { path: mountPath, folder, volume: volume as RawObject };
      },
    );
    for (const { folder, volume } of wanted) {
      for (const [path, content] of Object.entries(await this.#files(volume))) {
        const file = join(folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, path.endsWith('.yaml') ? relocated(content.toString(), wanted) : content);
      }
    }
    return wanted;
  }

  async #files(volume: RawObject): Promise<Record<string, string | Buffer>> {
    const { api } = this.#story;
    const { configMap, secret } = volume as {
      configMap?: { name: string };
      secret?: { secretName: string; items: { key: string; path: string }[] };
    };
    if (configMap !== undefined) {
      const found = await api.get('v1', 'ConfigMap', this.#namespace, configMap.name);
      if (found === undefined) throw new Error(`the pod would wait for the ConfigMap ${configMap.name}`);
      return found['data'];
    }
    if (secret === undefined) return {};
    const data = (await api.get('v1', 'Secret', this.#namespace, secret.secretName))?.['data'] ?? {};
    return Object.fromEntries(
      secret.items.map(({ key, path }) => {
        if (data[key] === undefined)
          throw new Error(`the pod would wait for ${key} of the Secret ${secret.secretName}`);
        return [path, Buffer.from(data[key], 'base64')];
      }),
    );
  }
}

function relocated(text: string, mounts: Mounts): string {
  return mounts.reduce(
    (changed, { path, folder }) => changed.replaceAll(new RegExp(`(?<![\\w/])${path}(?=/)`, 'g'), folder),
    text,
  );
}

/** Installs the chart; secrets are made before, by name, key and text. */
export async function installChart(
  story: Case,
  values: Values | readonly Values[],
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  namespace = story.home,
): Promise<InstalledChart> {
  await demandRestricted(story.api, namespace);
  const one = (name: string, stringData: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    stringData,
  });
  await story.api.apply(Object.entries(secrets).map(([name, data]) => one(name, data)));
  const installed = new InstalledChart(story, namespace, [values].flat());
  await story.api.apply([volumeFor(namespace, `${installed.name}-journal`)]);
  await installed.upgrade();
  return installed;
}

/** A namespace whose pods have to be as restricted as the chart and the examples claim to be. */
export function demandRestricted(api: RawApi, name: string): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }]);
}

/** What a cluster's provisioner would make for the claim. */
function volumeFor(namespace: string, claim: string): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${namespace}-${claim}` },
    spec: {
      capacity: { storage: '4Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace, name: claim },
      hostPath: { path: '/nowhere' },
    },
  };
}
