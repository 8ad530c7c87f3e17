import test from 'ava';
import { HandshakeLog } from '#src/tls/handshake-log.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { silentLog } from '#test/harness/silent-log.ts';

test('a client that keeps failing its handshakes is one line a minute, with the count of the others', async (t) => {
  const lines: object[] = [];
  const clock = new ManualClock();
  const handshakes = new HandshakeLog({ ...silentLog, warn: (fields) => void lines.push(fields) }, clock);
  for (let second = 0; second <= 60; second++) {
    handshakes.failed('certificate required', '10.0.0.7');
    await clock.advance(1_000);
  }
  t.deepEqual(lines, [
    { from: '10.0.0.7', reason: 'certificate required', untold: 0 },
    { from: '10.0.0.7', reason: 'certificate required', untold: 59 },
  ]);
});

test('one reason does not hide another, and strangers cannot fill the memory with reasons', (t) => {
  const reasons: string[] = [];
  const tell = (fields: object) => void reasons.push((fields as { reason: string }).reason);
  const handshakes = new HandshakeLog({ ...silentLog, warn: tell }, new ManualClock());
  handshakes.failed('socket hang up', '10.0.0.7');
  handshakes.failed('peer did not return a certificate', '10.0.0.8');
  t.deepEqual(reasons, ['socket hang up', 'peer did not return a certificate']);
  for (let n = 0; n < 1_000; n++) handshakes.failed(`invented ${n}`, '10.0.0.9');
  t.true(reasons.length <= 51);
});
