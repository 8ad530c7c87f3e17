import { readFileSync } from 'node:fs';
import { HttpMethod, RequestContext } from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';
import { fetch } from 'undici';
import { parseObjects, type RawObject } from '#e2e/control-plane/raw-api.ts';
import type { Case } from '#e2e/harness/case.ts';
import { given } from '#e2e/harness/given.ts';
import { systemClock } from '#src/clock.ts';
import { connect } from '#src/cluster/connection.ts';

const admission = 'admissionregistration.k8s.io/v1';
const label = 'external-scaler-sysdig/policies';

export function readObjects(path: string): RawObject[] {
  return parseObjects(readFileSync(path, 'utf8'));
}

/**
 * A policy of nothing that is never deleted. When the last binding goes whose policy takes a ConfigMap, the API server ends its
 * watch of ConfigMaps (1.36.3, policy_source.go), and a shared informer that was ended is not started again: those that come later
 * would not find their parameters.
 */
const keeper = [
  {
    apiVersion: admission,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'keeps-the-watch-of-parameters' },
    spec: {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['nothing'], apiVersions: ['*'], resources: ['*'], operations: ['CREATE'] },
        ],
      },
      validations: [{ expression: 'true' }],
    },
  },
  {
    apiVersion: admission,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'keeps-the-watch-of-parameters' },
    spec: {
      policyName: 'keeps-the-watch-of-parameters',
      paramRef: { name: 'none', namespace: 'default', parameterNotFoundAction: 'Allow' },
      validationActions: ['Deny'],
    },
  },
];

/** Some of deploy/policies with their bindings as they are shipped, but for this case's namespace only. */
export class Policies {
  readonly #story: Case;
  readonly #config = connect(
    { kind: 'file', path: given().kubeconfig },
    { clock: systemClock, onRequest() {} },
  );

  constructor(story: Case) {
    this.#story = story;
  }

  /** `parameters` beside those that are shipped. Nothing holds yet: see `switchTo`. */
  async install(
    t: ExecutionContext,
    names: readonly string[],
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { api, namespace, home } = this.#story;
    await api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } }]);
    await this.setParameters(parameters);
    await api.apply(keeper);
    const own = (name: string) => `${name}-${namespace}`;
    const policies = names.flatMap((name) => readObjects(`deploy/policies/${name}.yaml`));
    const bindings = names.flatMap((name) => readObjects(`deploy/policies/bindings/${name}.yaml`));
    for (const object of [...policies, ...bindings]) {
      object.metadata.name = own(object.metadata.name);
      const { spec } = object;
      if (object.kind === 'ValidatingAdmissionPolicyBinding') {
        spec.policyName = own(spec.policyName);
        if (spec.paramRef !== undefined) spec.paramRef.namespace = home;
        spec.matchResources.namespaceSelector.matchLabels['kubernetes.io/metadata.name'] = namespace;
      }
    }
    t.teardown(async () => {
      for (const { kind, metadata } of [...bindings, ...policies]) {
        await api.delete(admission, kind, '', metadata.name);
      }
      await api.delete('v1', 'Namespace', '', home);
    });
    await api.apply([...policies, ...bindings]);
    for (const { metadata } of policies) {
      const { typeChecking } = await this.#story.until(`${metadata.name} is type-checked`, async () => {
        const status = (await api.get(admission, 'ValidatingAdmissionPolicy', '', metadata.name))?.['status'];
        return status?.observedGeneration !== undefined && status;
      });
      t.deepEqual(typeChecking?.expressionWarnings ?? [], [], metadata.name);
    }
  }

  async setParameters(parameters: Readonly<Record<string, string>>): Promise<void> {
    const [shipped] = readObjects('deploy/policies/parameters.yaml');
    const metadata = { name: shipped?.metadata.name, namespace: this.#story.home };
    await this.#story.api.apply([
      { ...shipped, metadata, data: { ...shipped?.['data'], ...parameters } } as RawObject,
    ]);
  }

  /** Labels the namespace, as an operator would. It takes the API server a moment to act on it. */
  async switchTo(how: 'warn' | 'enforce'): Promise<void> {
    const metadata = { name: this.#story.namespace, labels: { [label]: how } };
    await this.#story.api.merge({ apiVersion: 'v1', kind: 'Namespace', metadata });
  }

  /** Switches them on, and waits until each of these objects meets a policy's own words. */
  async enforce(...bad: readonly object[]): Promise<void> {
    await this.switchTo('enforce');
    for (const object of bad) {
      await this.#story.until('a policy is enforced', async () =>
        (await this.judge(object)).refusal?.includes('expected'),
      );
    }
  }

  /** What the API server says of an object, which it does not keep. */
  async judge(object: object): Promise<Verdict> {
    const { apiVersion, kind, ...raw } = object as RawObject;
    const group = apiVersion === 'v1' ? 'api/v1' : `apis/${apiVersion}`;
    const collection = `namespaces/${this.#story.namespace}/${kind.toLowerCase()}s`;
    const url = `${this.#config.getCurrentCluster()?.server}/${group}/${collection}?dryRun=All`;
    const context = new RequestContext(url, HttpMethod.POST);
    await this.#config.applySecurityAuthentication(context);
    const dispatcher = context.getDispatcher();
    const placed = {
      apiVersion,
      kind,
      ...raw,
      metadata: { ...raw.metadata, namespace: this.#story.namespace },
    };
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...context.getHeaders(), 'content-type': 'application/json' },
      body: JSON.stringify(placed),
      ...(dispatcher && { dispatcher }),
    });
    const { message } = (await response.json()) as { message?: string };
    const warning = response.headers.get('warning') ?? undefined;
    return { refusal: response.ok ? undefined : textOf(message ?? ''), warning };
  }
}

/** As a user would see them; undefined: none. */
export interface Verdict {
  /** Without what names the policy and its binding. */
  readonly refusal: string | undefined;
  readonly warning: string | undefined;
}

/** What refused a write; undefined when it went through. */
export async function refusalOf(write: Promise<unknown>): Promise<string | undefined> {
  try {
    await write;
    return undefined;
  } catch (error) {
    const text = String(error);
    return textOf((JSON.parse(text.slice(text.indexOf('{'))) as { message: string }).message);
  }
}

/** A policy's own words, out of what the API server makes of them. */
function textOf(message: string): string {
  return message.split(' denied request: ').slice(1).join(' denied request: ') || message;
}
