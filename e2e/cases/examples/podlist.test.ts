import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { replicasSince } from '#e2e/harness/autoscaler.ts';
import type { Case } from '#e2e/harness/case.ts';
import { cluster, openExample } from '#e2e/harness/example.ts';
import { given } from '#e2e/harness/given.ts';
import { freePort } from '#test/harness/guarded-program.ts';

test('podlist: 180 requests per second are four replicas, which it then lists', async (t) => {
  const port = await freePort();
  const example = await openExample(t, 'podlist', {
    targets: ({ namespace }) => [
      {
        address: `127.0.0.1:${port}`,
        labels: {
          kube_cluster_name: cluster,
          kube_namespace_name: namespace,
          kube_workload_name: 'podlist',
        },
      },
    ],
  });
  const { story } = example;
  await example.apply();
  await story.untilReady('podlist');
  await story.readyPods('podlist', 1);
  const podlist = start('examples/podlist/podlist.mjs', [], {
    PORT: String(port),
    ACCOUNT: await accountOf(story),
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: new URL(given().server).port,
  });
  t.teardown(() => ended(podlist));
  const url = `http://127.0.0.1:${port}`;
  const listed = () => list(url).catch(() => undefined);
  t.deepEqual(
    await story.until('its one pod', async () => (await listed())?.length === 1 && listed()),
    (await story.readyPods('podlist', 1)).map(({ metadata }) => metadata.name),
  );
  // As `make load` presses it.
  const load = start('node_modules/.bin/autocannon', [
    ...['--connections', '10', '--overallRate', '180', '--duration', '180', '--no-progress'],
    url,
  ]);
  t.teardown(() => ended(load));
  await story.untilReplicas('podlist', 4, 170_000);
  t.true(replicasSince(story, 'podlist', 0).every((replicas) => replicas <= 4));
  await story.until('it lists four', async () => (await listed())?.length === 4);
});

/** The files that a pod of the example's ServiceAccount is given. */
async function accountOf({ api, namespace, folder }: Case): Promise<string> {
  const path = join(folder, 'account');
  mkdirSync(path);
  const { status } = await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts/podlist/token`, {
    spec: { expirationSeconds: 3_600 },
  });
  writeFileSync(join(path, 'token'), status.token);
  writeFileSync(join(path, 'namespace'), namespace);
  copyFileSync(given().ca, join(path, 'ca.crt'));
  return path;
}

function start(
  script: string,
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn(process.execPath, [script, ...options], {
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The pods that it answers with. */
async function list(url: string): Promise<string[]> {
  const { endpoints } = (await (await fetch(url)).json()) as { endpoints: { pod: string }[] };
  return endpoints.map(({ pod }) => pod);
}
