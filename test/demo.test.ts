import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { hints } from '#src/hints.ts';

test('the demo shows numbers for every example and what an attack pushes, and ends what it started', async (t) => {
  const demo = spawn(process.execPath, ['demo/main.ts'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => demo.kill('SIGKILL'));
  let output = '';
  await new Promise<void>((resolve) => {
    demo.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (/ shop\/cart .*\n/.test(output) && /pushed: active.*\n/.test(output)) resolve();
    });
    demo.once('close', () => resolve());
  });
  const ended = once(demo, 'close');
  demo.kill('SIGINT');
  const [code] = await ended;
  t.is(code, 0);
  for (const name of ['shop/checkout', 'shop/cart', 'shop/cache']) {
    t.regex(output, new RegExp(`${name} +sysdig-\\S+ +[\\d.]+[MG]? +[\\d.]+[MG]? +(yes|no) +\\d+`));
  }
  t.regex(output, /shop\/payments +falco-infections\S+, sysdig-\S+ +[\d., ]+ +0\.50, 100 +/);
  t.regex(output, /pushed: active, [\d.]+ ms after the first alert/);
});

test('the hints name the addresses that were taken', (t) => {
  t.regex(
    hints({ grpc: '127.0.0.1:6000', ingest: '127.0.0.1:6001', operations: '127.0.0.1:6002' }),
    /\n {2}make ask FILE=/,
  );
  t.regex(
    hints({ grpc: '127.0.0.1:7000', ingest: '127.0.0.1:7001', operations: '127.0.0.1:7002' }),
    /GRPC_ADDRESS=127\.0\.0\.1:7000 make ask.*curl http:\/\/127\.0\.0\.1:7002\/status/s,
  );
});
