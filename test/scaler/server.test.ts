import { connect as connectHttp2 } from 'node:http2';
import { createServer } from 'node:net';
import { credentials, makeGenericClientConstructor, type ServiceDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import test from 'ava';
import { service as healthService } from 'grpc-health-check';
import { systemClock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Sample } from '#src/sources/source.ts';
import { KedaStream } from '#test/harness/keda-client.ts';
import { sample } from './settable-source.ts';
import { metricName, ref, startScaler } from './start-scaler.ts';

const HealthClient = makeGenericClientConstructor(healthService as ServiceDefinition, 'Health');

interface Health {
  close(): void;
  check(request: { service: string }, done: (error: Error | null, answer: { status: string }) => void): void;
  watch(request: { service: string }): ConstructorParameters<typeof KedaStream<{ status: string }>>[0];
}

function healthOf(address: string): Health {
  return new HealthClient(address, credentials.createInsecure()) as unknown as Health;
}

function check(health: Health, service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    health.check({ service }, (error, answer) => (error ? reject(error) : resolve(answer.status)));
  });
}

test('health answers for the server and for the service', async (t) => {
  const { address, server } = await startScaler(t);
  const health = healthOf(address);
  t.teardown(() => health.close());
  t.is(await check(health, ''), 'SERVING');
  t.is(await check(health, 'externalscaler.ExternalScaler'), 'SERVING');
  await t.throwsAsync(check(health, 'other'), { code: status.NOT_FOUND } as object);
  server.setServing(false);
  t.is(await check(health, ''), 'NOT_SERVING');
});

for (const version of ['v1', 'v1alpha'] as const) {
  test(`reflection ${version} lists the services`, async (t) => {
    const { address, server } = await startScaler(t);
    const protoFile = import.meta
      .resolve('@grpc/reflection')
      .replace(/build\/src\/index\.js$/, `build/proto/grpc/reflection/${version}/reflection.proto`);
    const loaded = loadSync(new URL(protoFile).pathname, { oneofs: true });
    const Client = makeGenericClientConstructor(
      loaded[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition,
      'ServerReflection',
    );
    const client = new Client(address, credentials.createInsecure());
    t.teardown(() => client.close());
    // biome-ignore lint/complexity/noBannedTypes: grpc-js makes its methods at run time.
    const call = (client['ServerReflectionInfo'] as Function).call(client);
    const answered = new Promise<{ listServicesResponse: { service: { name: string }[] } }>((resolve) =>
      call.once('data', resolve),
    );
    call.on('error', () => {});
    call.write({ listServices: '' });
    const names = (await answered).listServicesResponse.service.map(({ name }) => name);
    t.deepEqual(names.sort(), ['externalscaler.ExternalScaler', 'grpc.health.v1.Health']);
    // Left open: a drain ends it.
    await server.drain();
  });
}

test('a drain ends streams with OK, health watches too, and finishes', async (t) => {
  const { address, connect, source, server, heard } = await startScaler(t);
  const health = healthOf(address);
  t.teardown(() => health.close());
  const watch = new KedaStream(health.watch({ service: '' }));
  await watch.received(1);
  source.set(sample(1));
  const client = connect();
  const streams = [client.streamIsActive(ref), client.streamMetricSpec(ref)];
  await Promise.all(streams.map((stream) => stream.opened()));

  await server.drain();
  for (const stream of streams) t.is((await stream.ended).code, status.OK);
  t.is((await watch.ended).code, status.OK);
  t.deepEqual(
    watch.messages.map((message) => message.status),
    ['SERVING', 'NOT_SERVING'],
  );
  t.is(heard.open, 0);
  await t.throwsAsync(client.isActive(ref), { code: status.UNAVAILABLE } as object);
});

test('a drain finishes the calls that are under way', async (t) => {
  const { connect, source, server } = await startScaler(t);
  const flight = Promise.withResolvers<Sample>();
  source.answers(flight.promise);
  const call = connect().getMetrics(ref, metricName);
  while (source.measured === 0) await turn();
  const drained = server.drain();
  flight.resolve(sample(5));
  t.is((await call).metricValues[0]?.metricValue, 5);
  await drained;
});

test('a drain cuts after 5 s what does not end', async (t) => {
  const { address, server, clock } = await startScaler(t);
  // A raw client that opens a stream and then neither reads nor ends.
  const session = connectHttp2(`http://${address}`);
  session.on('error', () => {});
  session.on('goaway', () => {});
  const stream = session.request({
    ':method': 'POST',
    ':path': '/externalscaler.ExternalScaler/GetMetrics',
    'content-type': 'application/grpc',
  });
  stream.on('error', () => {});
  const closed = new Promise((resolve) => session.once('close', resolve));
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  let drained = false;
  const draining = server.drain().then(() => {
    drained = true;
  });
  await clock.advance(4_999);
  t.false(drained);
  await clock.advance(1);
  await draining;
  await closed;
});

test('a second drain waits for the first', async (t) => {
  const { server } = await startScaler(t);
  await Promise.all([server.drain(), server.drain()]);
  t.is(server.openStreams, 0);
});

test('a taken port is one clear failure', async (t) => {
  const other = createServer();
  t.teardown(() => other.close());
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
  });
  const error = await t.throwsAsync(startScaler(t, { address: { host: '127.0.0.1', port } }), {
    instanceOf: Failure,
  });
  t.is(
    error.message,
    `cannot listen for gRPC on 127.0.0.1:${port}: the port is already taken; stop the other process or choose another port`,
  );
});

test('a connection that speaks something else disturbs nobody', async (t) => {
  const { address, connect } = await startScaler(t, { clock: systemClock });
  const response = await fetch(`http://${address}/`).catch((error: unknown) => error);
  t.true(response instanceof Error);
  t.is((await connect().getMetricSpec(ref)).metricSpecs.length, 1);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
