// A process that posts alerts as fast as they are taken, or at a steady rate, over plain sockets: an HTTP client would cost more than
// the server that it measures. Its one argument is the load as JSON; it says when it is connected, starts at any message, and
// tells what came of it.
import { connect, type Socket } from 'node:net';
import { falcoAlert, podName } from '#test/harness/falco-alert.ts';

export interface AlertLoad {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  readonly connections: number;
  readonly forMs: number;
  /** Alerts in one request. */
  readonly perRequest: number;
  /** Distinct pods that the alerts name. */
  readonly pods: number;
  /** Requests a second; as many as are taken unless given. */
  readonly perSecond?: number;
}

export interface AlertLoadResult {
  readonly requests: number;
  readonly alerts: number;
  readonly refused: number;
  readonly alertsPerSecond: number;
}

const load = JSON.parse(process.argv[2] ?? '{}') as AlertLoad;
const head = Buffer.from('HTTP/1.1 2');
const templates = Array.from({ length: Math.max(1, load.pods / load.perRequest) }, (_, index) =>
  request(index),
);
let timeText = '';
let [requests, refused, next, until] = [0, 0, 0, 0];

const sockets = await Promise.all(Array.from({ length: load.connections }, open));
process.send?.({ ready: true });
process.once('message', async () => {
  const clock = setInterval(tick, 1);
  tick();
  until = performance.now() + load.forMs;
  const startedAt = performance.now();
  if (load.perSecond === undefined) await Promise.all(sockets.map(post));
  else await steadily(load.perSecond, startedAt);
  const seconds = (performance.now() - startedAt) / 1000;
  clearInterval(clock);
  const alerts = (requests - refused) * load.perRequest;
  const result: AlertLoadResult = {
    requests,
    refused,
    alerts,
    alertsPerSecond: Math.round(alerts / seconds),
  };
  process.send?.(result, () => process.exit());
});

function tick(): void {
  timeText = new Date().toISOString().slice(0, -1);
}

/** Falco's own JSON for one, an array of it for several: the time is written over just before it is sent. */
function request(index: number): { bytes: Buffer; times: number[] } {
  const alerts = Array.from({ length: load.perRequest }, (_, place) =>
    falcoAlert({ pod: podName('checkout', (index * load.perRequest + place) % load.pods) }),
  );
  const body = JSON.stringify(load.perRequest === 1 ? alerts[0] : alerts);
  const bytes = Buffer.from(
    `POST ${load.path} HTTP/1.1\r\nHost: 127.0.0.1:${load.port}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${load.token}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const times: number[] = [];
  for (let at = bytes.indexOf('"time":"'); at !== -1; at = bytes.indexOf('"time":"', at + 1))
    times.push(at + 8);
  return { bytes, times };
}

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** One request after the other on this connection, until the time is up. */
function post(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const send = () => {
      if (performance.now() >= until) {
        socket.off('data', onData);
        resolve();
        return;
      }
      write(socket);
    };
    const onData = (chunk: Buffer) => {
      taken(chunk);
      send();
    };
    socket.on('data', onData);
    send();
  });
}

async function steadily(perSecond: number, startedAt: number): Promise<void> {
  for (const socket of sockets) socket.on('data', taken);
  let sent = 0;
  while (performance.now() < until) {
    const due = ((performance.now() - startedAt) * perSecond) / 1000;
    for (; sent < due; sent++) write(sockets[sent % sockets.length] as Socket);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function write(socket: Socket): void {
  const template = templates[next++ % templates.length] as { bytes: Buffer; times: number[] };
  // A copy: the socket may still hold the bytes when the next time is written.
  const bytes = Buffer.from(template.bytes);
  for (const at of template.times) bytes.write(timeText, at, 'latin1');
  socket.write(bytes);
}

/** Answers are small: each comes in one piece, and several may come together. */
function taken(chunk: Buffer): void {
  for (let at = chunk.indexOf('HTTP/1.1 '); at !== -1; at = chunk.indexOf('HTTP/1.1 ', at + 1)) {
    requests++;
    if (chunk.compare(head, 0, head.length, at, at + head.length) !== 0) refused++;
  }
}
