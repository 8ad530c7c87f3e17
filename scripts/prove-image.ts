// node scripts/prove-image.ts IMAGE runs an image as a cluster would: read-only, as its own user, without capabilities,
// one place to write to. It calls it, ends it, starts it again, and looks at what is in it. Needs podman.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { credentials, makeGenericClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { falcoAlert } from '#test/harness/falco-alert.ts';
import { KedaClient } from '#test/harness/keda-client.ts';

interface Running {
  readonly grpc: string;
  readonly ingest: string;
  /** From the command to start it until it listens. */
  readonly startMs: number;
  /** Sends SIGTERM; resolves to the milliseconds until the container was gone, and rejects unless it ended with 0. */
  stop(): Promise<number>;
}

/** Shells, what installs or compiles, tests and declarations: nothing of these may be in the image. */
const unwanted = /(^|\/)(sh|bash|dash|busybox|npm|npx|corepack|apt|apt-get|dpkg|tsc|biome|ava)$|\.ts$|\.map$/;

/** Evaluated inside. The modules that are loaded only with a cluster are in no call of this script. */
const look = `
  import { globSync, writeFileSync } from 'node:fs';
  const modules = globSync('/app/src/**/*.js').filter((file) => !/[/](main|worker)[.]js$/.test(file));
  for (const file of modules) await import(file);
  const write = (path) => { try { writeFileSync(path, ''); } catch (error) { return error.code; } };
  const writes = ['/data/x', '/app/x', '/tmp/x', '/x'].map(write);
  console.log(JSON.stringify({ user: process.getuid(), node: process.version, modules: modules.length, writes }));
`;

const locked = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop=all',
  '--security-opt=no-new-privileges',
];
// The host's network, because not every machine lets podman make another; so on whatever ports are free.
const ports = ['GRPC', 'INGEST', 'OPERATIONS'].map((name) => `--env=${name}_ADDRESS=127.0.0.1:0`);

const execute = promisify(execFile);
const image = process.argv[2] ?? 'external-scaler-sysdig:latest';
const container = await podman('create', ...locked, '--network=host', '--volume=/data', ...ports, image);
try {
  const files = await filesInside();
  assert.deepEqual(files.filter((file) => unwanted.test(file)).slice(0, 5), []);
  console.log(`${files.length} files and folders; no shell, no package manager, nothing of development`);

  const first = await start();
  const seen = JSON.parse(await podman('exec', container, 'node', '--input-type=module', '--eval', look));
  assert.deepEqual(seen.writes, [null, 'EROFS', 'EROFS', 'EROFS']);
  assert.equal(seen.user, 65532);
  console.log(
    `user ${seen.user}, Node.js ${seen.node}; ${seen.modules} modules load; only /data can be written to`,
  );
  assert.equal(await health(first.grpc), 'SERVING');
  const alert = JSON.stringify(falcoAlert({ namespace: 'shop', pod: 'checkout-7d9f8b6c5d-b4x7z' }));
  assert.equal(
    (await fetch(`http://${first.ingest}/ingest/falco`, { method: 'POST', body: alert })).status,
    204,
  );
  assert.equal(await infections(first.grpc), 1);
  console.log(`listening after ${first.startMs} ms; health SERVING; after an alert GetMetrics answers 1`);
  console.log(`SIGTERM: drained and ended with 0 within ${await first.stop()} ms`);

  const second = await start();
  assert.equal(await infections(second.grpc), 1);
  await second.stop();
  console.log('started again it still answers 1');
} finally {
  await podman('rm', '--force', '--volumes', container);
}

async function podman(...args: string[]): Promise<string> {
  return (await execute('podman', args)).stdout.trim();
}

async function filesInside(): Promise<string[]> {
  const tar = `podman export ${container} | tar -t`;
  const { stdout } = await execute('sh', ['-c', tar], { maxBuffer: 2 ** 28 });
  return stdout.split('\n').filter((line) => line !== '');
}

async function start(): Promise<Running> {
  const begun = performance.now();
  const process = spawn('podman', ['start', '--attach', '--sig-proxy=false', container]);
  const ended = once(process, 'close');
  const lines: string[] = [];
  for (const stream of [process.stdout, process.stderr])
    createInterface(stream).on('line', (line) => lines.push(line));
  while (!lines.some((line) => line.includes('"listening"'))) {
    const over = await Promise.race([ended, once(process.stdout, 'data').then(() => undefined)]);
    if (over !== undefined) throw new Error(`expected it to listen, but it ended:\n${lines.join('\n')}`);
  }
  const listening = JSON.parse(lines.find((line) => line.includes('"listening"')) ?? '{}');
  const startMs = Math.round(performance.now() - begun);
  return { grpc: listening.grpc, ingest: listening.ingest, startMs, stop };

  async function stop(): Promise<number> {
    const asked = performance.now();
    await podman('kill', '--signal=TERM', container);
    const [code] = await ended;
    assert.equal(code, 0, lines.join('\n'));
    return Math.round(performance.now() - asked);
  }
}

function health(grpc: string): Promise<string> {
  const Health = makeGenericClientConstructor(healthService as ServiceDefinition, 'Health');
  const client = new Health(grpc, credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    client['check']?.({ service: '' }, (error: Error | null, answer: { status: string }) =>
      error ? reject(error) : resolve(answer.status),
    );
  }).finally(() => client.close());
}

async function infections(grpc: string): Promise<number | undefined> {
  const client = new KedaClient(grpc);
  const scalerMetadata = { source: 'falco', metric: 'infections', threshold: '1' };
  const ref = { namespace: 'shop', name: 'checkout', scalerMetadata };
  const { metricSpecs } = await client.getMetricSpec(ref);
  const { metricValues } = await client.getMetrics(ref, metricSpecs[0]?.metricName ?? '');
  client.close();
  return metricValues[0]?.metricValueFloat;
}
