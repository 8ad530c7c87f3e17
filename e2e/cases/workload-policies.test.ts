import test from 'ava';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { openCase } from '#e2e/harness/case.ts';
import { Policies, readObjects } from '#e2e/harness/policies.ts';

type Expectations = { results: { policy: string; result: string; resources: string[] }[] }[] & RawObject[];

const kyverno = 'deploy/policies/kyverno';

/** By name: what each policy says of the objects that Kyverno's own tests use. */
const workloadTexts: Readonly<Record<string, string>> = {
  'image-elsewhere': 'quay.io/acme/app:1',
  'image-of-docker-hub': 'docker.io/library/nginx',
  'image-lookalike': 'ghcr.io/acme-evil/app:1',
  'image-of-init': 'ghcr.io.evil.example/acme/app:1',
  'image-of-volume': 'quay.io/acme/model:1',
  'root-by-default': 'app',
  'root-by-container': 'proxy',
  'root-by-uid': 'app',
  'no-probes': 'app without both',
  'one-probe': 'app without livenessProbe',
  'sidecar-without-probes': 'proxy without both',
  'secret-as-variable': 'PASSWORD of app from db',
  'secret-as-variables': 'variables of migrate from db',
  'secret-of-scaled-job': 'PASSWORD of app from db',
};

function workloadText(policy: string, name: string): string {
  const got = workloadTexts[name];
  switch (policy) {
    case 'images':
      return `image: expected one from ghcr.io/acme/, registry.k8s.io/, got ${got}; the operator lists them in ConfigMap external-scaler-sysdig-policies`;
    case 'non-root':
      return `securityContext: expected runAsNonRoot: true and no runAsUser: 0, got otherwise for ${got}; set it for the pod or for each of them`;
    case 'probes':
      return `readinessProbe, livenessProbe: expected both for each container that runs on, got ${got}`;
    default:
      return `env: expected Secrets as files, got ${got}; mount them as volumes`;
  }
}

const workloadPolicies = ['images', 'non-root', 'probes', 'secrets'];
const objects = readObjects(`${kyverno}/test/objects.yaml`);

function objectNamed(name: string): RawObject {
  const found = objects.find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

for (const policy of workloadPolicies) {
  test(`the API server gives Kyverno's verdicts: ${policy}`, async (t) => {
    const story = await openCase(t, `policy-${policy}`);
    const policies = new Policies(story);
    const registries = 'ghcr.io/acme, registry.k8s.io/';
    await policies.install(t, [policy], { [`registries.${story.namespace}`]: registries });
    const [{ results } = { results: [] }] = readObjects(`${kyverno}/test/kyverno-test.yaml`) as Expectations;
    const [failing = [], passing = []] = ['fail', 'pass'].map((result) =>
      results
        .filter((one) => one.policy.endsWith(`-${policy}`) && one.result === result)
        .flatMap(({ resources }) => resources.map((name) => objectNamed(name.replace('shop/', '')))),
    );
    t.is(failing.length + passing.length, objects.length);
    await policies.enforce(...failing.slice(0, 1));
    for (const object of failing) {
      const { refusal } = await policies.judge(object);
      t.is(refusal, workloadText(policy, object.metadata.name));
    }
    for (const object of passing) {
      t.is((await policies.judge(object)).refusal, undefined, object.metadata.name);
    }
  });

  test(`Kyverno's policy says the same, word for word: ${policy}`, (t) => {
    const [ours, theirs] = ['deploy/policies', kyverno].map(
      (folder) => readObjects(`${folder}/${policy}.yaml`)[0]?.['spec'],
    );
    t.deepEqual(theirs.validations, ours.validations);
    t.deepEqual(theirs.matchConditions, ours.matchConditions);
    t.deepEqual(theirs.matchConstraints.resourceRules, ours.matchConstraints.resourceRules);
    const parameters = ['parameters', 'registries'];
    const [ourVariables, theirVariables] = [ours, theirs].map(({ variables }) =>
      variables.filter(({ name }: { name: string }) => !parameters.includes(name)),
    );
    t.deepEqual(theirVariables, ourVariables);
    t.deepEqual(theirs.matchConstraints.namespaceSelector.matchLabels, {
      'external-scaler-sysdig/policies': 'enforce',
    });
  });
}
