import { type HttpMethod, type KubeConfig, RequestContext } from '@kubernetes/client-node';
import { fetch } from 'undici';
import { parseAllDocuments } from 'yaml';

export interface RawObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [key: string]: unknown };
  // biome-ignore lint/suspicious/noExplicitAny: a case looks at whatever the kind has
  [key: string]: any;
}

interface Resource {
  readonly plural: string;
  readonly isNamespaced: boolean;
}

/**
 * The API server's objects as they are. client-node's own classes drop what their models do not know, which breaks
 * CustomResourceDefinitions.
 */
export class RawApi {
  readonly #config: KubeConfig;
  readonly #kinds = new Map<string, Resource>();

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /** Server-side apply of objects, or of YAML with any number of them. */
  async apply(manifests: string | readonly object[]): Promise<void> {
    await this.#apply(manifests, 'force=true');
  }

  /** Whether they would be taken as they are: rejects with what the API server says, unknown fields among it. */
  async tryToApply(manifests: readonly object[]): Promise<void> {
    await this.#apply(manifests, 'force=true&dryRun=All&fieldValidation=Strict');
  }

  /** Undefined where there is none. */
  async get(
    apiVersion: string,
    kind: string,
    namespace: string,
    name: string,
  ): Promise<RawObject | undefined> {
    return this.#request('GET', await this.#path({ apiVersion, kind, metadata: { namespace, name } }));
  }

  async list(apiVersion: string, kind: string, namespace: string, query = ''): Promise<RawObject[]> {
    const path = await this.#path({ apiVersion, kind, metadata: { namespace, name: '' } });
    return (await this.#request('GET', `${path.replace(/\/$/, '')}${query}`))?.['items'] ?? [];
  }

  async merge(object: RawObject, subresource = ''): Promise<void> {
    const path = (await this.#path(object)) + subresource;
    await this.#request('PATCH', path, { body: object, contentType: 'application/merge-patch+json' });
  }

  async create(path: string, body: object): Promise<RawObject> {
    return (await this.#request('POST', path, { body, contentType: 'application/json' })) as RawObject;
  }

  async delete(apiVersion: string, kind: string, namespace: string, name: string): Promise<void> {
    await this.#request('DELETE', await this.#path({ apiVersion, kind, metadata: { namespace, name } }));
  }

  /** Whether there is such a kind yet. */
  async serves(apiVersion: string, kind: string): Promise<boolean> {
    const listed = await this.#request('GET', basePath(apiVersion));
    const resources: { kind: string }[] = listed?.['resources'] ?? [];
    return resources.some((resource) => resource.kind === kind);
  }

  async #apply(manifests: string | readonly object[], how: string): Promise<void> {
    const objects = typeof manifests === 'string' ? parseObjects(manifests) : (manifests as RawObject[]);
    for (const object of objects) {
      const path = `${await this.#path(object)}?fieldManager=e2e&${how}`;
      await this.#request('PATCH', path, { body: object, contentType: 'application/apply-patch+yaml' });
    }
  }

  async #path({ apiVersion, kind, metadata: { name, namespace } }: RawObject): Promise<string> {
    const base = basePath(apiVersion);
    const { plural, isNamespaced } = await this.#resource(base, kind);
    return `${base}/${isNamespaced ? `namespaces/${namespace ?? 'default'}/` : ''}${plural}/${name}`;
  }

  async #resource(base: string, kind: string): Promise<Resource> {
    const known = this.#kinds.get(`${base} ${kind}`);
    if (known !== undefined) return known;
    const listed = (await this.#request('GET', base))?.['resources'] as
      | { kind: string; name: string; namespaced: boolean }[]
      | undefined;
    for (const resource of listed ?? []) {
      if (resource.name.includes('/')) continue;
      const found = { plural: resource.name, isNamespaced: resource.namespaced };
      this.#kinds.set(`${base} ${resource.kind}`, found);
    }
    const found = this.#kinds.get(`${base} ${kind}`);
    if (found === undefined) throw new Error(`${base} has no kind ${kind}`);
    return found;
  }

  async #request(
    method: string,
    path: string,
    { body, contentType = 'application/json' }: { body?: object; contentType?: string } = {},
  ): Promise<RawObject | undefined> {
    const url = (this.#config.getCurrentCluster()?.server ?? '') + path;
    const context = new RequestContext(url, method as HttpMethod);
    await this.#config.applySecurityAuthentication(context);
    const dispatcher = context.getDispatcher();
    const response = await fetch(url, {
      method,
      headers: { ...context.getHeaders(), 'content-type': contentType },
      ...(body && { body: JSON.stringify(body) }),
      ...(dispatcher && { dispatcher }),
    });
    const text = await response.text();
    if (method === 'GET' && response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as RawObject);
  }
}

function basePath(apiVersion: string): string {
  return apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
}

export function parseObjects(text: string): RawObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as RawObject | null)
    .filter((object) => object !== null);
}
