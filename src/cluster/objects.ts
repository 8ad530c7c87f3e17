import { CustomObjectsApi, type V1LabelSelector } from '@kubernetes/client-node';
import { apiFailure, statusOf } from '#src/cluster/api-failure.ts';
import { controllerOf } from '#src/cluster/cluster-pod.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { type Controller, groupOf, type Reference, versionOf } from '#src/cluster/reference.ts';
import { Failure } from '#src/failure.ts';

/** A workload, or anything else that controls pods, as the API server has it now. */
export interface ClusterWorkload extends Controller {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `spec.replicas`; undefined where there is no such thing. */
  readonly replicas: number | undefined;
  /** Which pods are its own, as the API takes it; undefined where it does not say. */
  readonly selector: string | undefined;
  readonly controller: Controller | undefined;
}

/** The scale subresource. */
export interface Scale {
  readonly replicas: number;
  readonly selector: string | undefined;
  readonly resourceVersion: string;
}

interface RawObject {
  readonly metadata?: {
    uid?: string;
    labels?: Record<string, string>;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  };
  readonly spec?: { replicas?: unknown; selector?: unknown };
}

interface RawScale {
  metadata?: { resourceVersion?: string };
  spec?: { replicas?: number };
  status?: { selector?: string };
}

interface Resource {
  readonly kind: string;
  readonly plural: string;
  readonly hasScale: boolean;
}

/** Objects of any kind outside of the core group, by what the API server says of its kinds; a kind in any letter case. */
export class Objects {
  readonly #api: CustomObjectsApi;
  readonly #kinds = new Map<string, Promise<ReadonlyMap<string, Resource>>>();

  constructor(connection: Connection) {
    this.#api = connection.makeApiClient(CustomObjectsApi);
  }

  /** Undefined where there is no such object, or no such kind. Throws a `Failure`. */
  async read(reference: Reference, namespace: string): Promise<ClusterWorkload | undefined> {
    const resource = await this.#resource(reference);
    if (resource === undefined) return undefined;
    const found = await this.#attempt<RawObject>(reference, namespace, () =>
      this.#api.getNamespacedCustomObject(this.#place(reference, namespace, resource)),
    );
    if (found === undefined) return undefined;
    const { metadata, spec } = found;
    const replicas = spec?.replicas;
    const selector = selectorOf(spec?.selector);
    const isScaled = selector === undefined && resource.hasScale;
    const scale = isScaled ? await this.scale(reference, namespace) : undefined;
    return {
      apiVersion: reference.apiVersion,
      kind: resource.kind,
      name: reference.name,
      namespace,
      uid: metadata?.uid ?? '',
      labels: metadata?.labels ?? {},
      replicas: typeof replicas === 'number' ? replicas : scale?.replicas,
      selector: selector ?? scale?.selector,
      controller: controllerOf(metadata?.ownerReferences),
    };
  }

  /** Undefined where there is no such object. Throws a `Failure`. */
  async scale(reference: Reference, namespace: string): Promise<Scale | undefined> {
    const resource = await this.#resource(reference);
    if (resource === undefined) return undefined;
    const raw = await this.#attempt<RawScale>(reference, namespace, () =>
      this.#api.getNamespacedCustomObjectScale(this.#place(reference, namespace, resource)),
    );
    return (
      raw && {
        replicas: raw.spec?.replicas ?? 0,
        selector: raw.status?.selector || undefined,
        resourceVersion: raw.metadata?.resourceVersion ?? '',
      }
    );
  }

  /** False when somebody else has changed it since it was read. Throws a `Failure`. */
  async setScale(
    reference: Reference,
    namespace: string,
    { replicas, resourceVersion }: Pick<Scale, 'replicas' | 'resourceVersion'>,
  ): Promise<boolean> {
    const resource = await this.#resource(reference);
    if (resource === undefined) return false;
    const body = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: reference.name, namespace, resourceVersion },
      spec: { replicas },
    };
    try {
      await this.#api.replaceNamespacedCustomObjectScale({
        ...this.#place(reference, namespace, resource),
        body,
      });
      return true;
    } catch (thrown) {
      if (statusOf(thrown) === 409) return false;
      throw apiFailure(thrown, `scaling ${describe(reference, namespace)}`);
    }
  }

  async #attempt<T>(
    reference: Reference,
    namespace: string,
    call: () => Promise<unknown>,
  ): Promise<T | undefined> {
    try {
      return (await call()) as T;
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      throw apiFailure(thrown, `reading ${describe(reference, namespace)}`);
    }
  }

  #place({ apiVersion, name }: Reference, namespace: string, { plural }: Resource) {
    return { group: groupOf(apiVersion), version: versionOf(apiVersion), namespace, plural, name };
  }

  /** Undefined where the API server knows no such kind; asked again the next time, as it may come to know it. */
  async #resource({ apiVersion, kind }: Reference): Promise<Resource | undefined> {
    if (groupOf(apiVersion) === '') {
      throw new Failure('invalid', `${kind}: expected a kind of a named API group, got ${apiVersion}`);
    }
    let listed = this.#kinds.get(apiVersion);
    if (listed === undefined) {
      listed = this.#list(apiVersion);
      this.#kinds.set(apiVersion, listed);
    }
    try {
      const resource = (await listed).get(kind.toLowerCase());
      if (resource === undefined) this.#kinds.delete(apiVersion);
      return resource;
    } catch (thrown) {
      this.#kinds.delete(apiVersion);
      if (statusOf(thrown) === 404) return undefined;
      throw apiFailure(thrown, `reading what ${apiVersion} holds`);
    }
  }

  async #list(apiVersion: string): Promise<ReadonlyMap<string, Resource>> {
    const { resources } = await this.#api.getAPIResources({
      group: groupOf(apiVersion),
      version: versionOf(apiVersion),
    });
    const scaled = new Set(resources.map(({ name }) => name).filter((name) => name.endsWith('/scale')));
    return new Map(
      resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ kind, name }) => [
          kind.toLowerCase(),
          { kind, plural: name, hasScale: scaled.has(`${name}/scale`) },
        ]),
    );
  }
}

export function describe({ kind, name }: Reference, namespace: string): string {
  return `${kind.toLowerCase()} ${namespace}/${name}`;
}

/** A label selector as the API takes it in a query; undefined for anything else, and for one that selects nothing or all. */
function selectorOf(selector: unknown): string | undefined {
  if (typeof selector !== 'object' || selector === null) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = selector as V1LabelSelector;
  const parts = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values = [] } of matchExpressions) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`);
  }
  return parts.length > 0 ? parts.join(',') : undefined;
}
