import test from 'ava';
import type { ClusterWorkload } from '#src/cluster/objects.ts';
import { OwnerChains, workloadOf } from '#src/cluster/owner-chains.ts';
import type { Controller, Reference } from '#src/cluster/reference.ts';
import { Failure } from '#src/failure.ts';

const apps = 'apps/v1';
const replicaSet: Controller = {
  apiVersion: apps,
  kind: 'ReplicaSet',
  name: 'checkout-7d9f8b6c5d',
  uid: 'rs',
};
const deployment: Controller = { apiVersion: apps, kind: 'Deployment', name: 'checkout', uid: 'd' };
const operator: Controller = { apiVersion: 'shops.example/v1', kind: 'Shop', name: 'mine', uid: 's' };

function setUp(above: Record<string, Controller | undefined | Failure>) {
  const asked: string[] = [];
  const objects = {
    async read({ apiVersion, kind, name }: Reference): Promise<ClusterWorkload | undefined> {
      asked.push(`${kind} ${name}`);
      const found = above[name];
      if (found instanceof Failure) throw found;
      const uid = { 'checkout-7d9f8b6c5d': 'rs', checkout: 'd', mine: 's' }[name] ?? name;
      return {
        apiVersion,
        kind,
        name,
        uid,
        namespace: 'shop',
        labels: {},
        replicas: 1,
        selector: undefined,
        controller: found,
      };
    },
  };
  return { chains: new OwnerChains(objects), asked };
}

test('walks up to the top, and asks for each controller once', async (t) => {
  const { chains, asked } = setUp({ 'checkout-7d9f8b6c5d': deployment, checkout: operator });
  t.deepEqual(await chains.of('shop', replicaSet), [replicaSet, deployment, operator]);
  t.deepEqual(await chains.of('shop', replicaSet), [replicaSet, deployment, operator]);
  t.is(asked.length, 3);
  t.deepEqual(await chains.of('shop', undefined), []);
});

test('what may not be read ends the chain; what cannot be read now is asked again', async (t) => {
  const above: Record<string, Controller | Failure | undefined> = {
    'checkout-7d9f8b6c5d': deployment,
    checkout: new Failure('permission-denied', 'no'),
  };
  t.deepEqual(await setUp(above).chains.of('shop', replicaSet), [replicaSet, deployment]);
  above['checkout'] = new Failure('unavailable', 'not now');
  const { chains } = setUp(above);
  await t.throwsAsync(chains.of('shop', replicaSet), { message: 'not now' });
  above['checkout'] = undefined;
  t.deepEqual(await chains.of('shop', replicaSet), [replicaSet, deployment]);
});

test('a ReplicationController is the top, and is not asked for', async (t) => {
  const { chains, asked } = setUp({});
  const old: Controller = { apiVersion: 'v1', kind: 'ReplicationController', name: 'old', uid: 'o' };
  t.deepEqual(await chains.of('shop', old), [old]);
  t.deepEqual(asked, []);
});

test('what is acted on is the Deployment above a ReplicaSet, and otherwise what controls the pod', (t) => {
  t.is(workloadOf([replicaSet, deployment, operator]), deployment);
  t.is(workloadOf([replicaSet]), replicaSet);
  const statefulSet = { kind: 'statefulset' };
  t.is(workloadOf([statefulSet, { kind: 'prometheus' }]), statefulSet);
  const cronJob = { kind: 'cronjob' };
  t.is(workloadOf([{ kind: 'job' }, cronJob]), cronJob);
  t.is(workloadOf([]), undefined);
});
