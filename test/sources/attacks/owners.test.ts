import test from 'ava';
import { guessedOwners, isOf } from '#src/sources/attacks/owners.ts';

const template = ['deployment', 'rollout'];
const set = ['daemonset', 'job', 'replicaset', 'replicationcontroller'];
const long = 'a-deployment-whose-name-is-so-long-that-its-pods-are-cut';

const pods: [pod: string, owners: [name: string, kinds: string[]][]][] = [
  ['checkout-7d9f8b6c5d-x2x4z', [['checkout', template]]],
  ['shop-web-54866f55c-bbbbb', [['shop-web', template]]],
  ['db-0', [['db', ['statefulset']]]],
  ['db-12', [['db', ['statefulset']]]],
  ['falco-x2x4z', [['falco', set]]],
  ['db-24567', [['db', [...set, 'statefulset']]]],
  [
    'backup-29391040-x2x4z',
    [
      ['backup', ['cronjob']],
      ['backup-29391040', ['job']],
    ],
  ],
  ['train-3-x2x4z', [['train', ['job']]]],
  ['kube-proxy-abcde', [['kube-proxy-abcde', ['pod']]]],
  ['busybox', [['busybox', ['pod']]]],
];

for (const [pod, owners] of pods) {
  test(`${pod} is of ${owners.map(([name]) => name).join(', ')}`, (t) => {
    t.deepEqual(
      guessedOwners.of({ namespace: 'shop', name: pod }),
      owners.map(([name, kinds]) => ({ name, kinds })),
    );
  });
}

test('a name that Kubernetes has cut is still known', (t) => {
  // 56 letters, then the hash of which one letter is left, then the random letters.
  const pod = `${long}-4x2x4z`;
  t.is(pod.length, 63);
  const owners = guessedOwners.of({ namespace: 'shop', name: pod });
  t.true(owners.some((owner) => isOf(owner, { kind: 'deployment', name: long })));
  const longer = `${long}-and-cut-again`;
  const cut = guessedOwners.of({ namespace: 'shop', name: `${longer.slice(0, 58)}x2x4z` });
  t.true(cut.some((owner) => isOf(owner, { kind: 'daemonset', name: longer })));
});

test('a workload is known by kind and name, and by its name alone where the kind is none of the rules', (t) => {
  const [owner = { name: '', kinds: [] }] = guessedOwners.of({
    namespace: 'shop',
    name: 'checkout-7d9f8b6c5d-x2x4z',
  });
  t.true(isOf(owner, { kind: 'deployment', name: 'checkout' }));
  t.true(isOf(owner, { kind: 'rollout', name: 'checkout' }));
  t.true(isOf(owner, { kind: 'cloneset', name: 'checkout' }));
  t.true(isOf(owner, { kind: undefined, name: 'checkout' }));
  t.false(isOf(owner, { kind: 'statefulset', name: 'checkout' }));
  t.false(isOf(owner, { kind: undefined, name: 'check' }));
});
