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
