// Lists the Ready endpoints of its own Service, as the Kubernetes API tells them, and counts its requests for Prometheus.
// Node.js alone, no packages.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';

const {
  KUBERNETES_SERVICE_HOST: apiHost,
  KUBERNETES_SERVICE_PORT: apiPort = '443',
  SERVICE: service = 'podlist',
  PORT: port = '8080',
  ACCOUNT: account = '/var/run/secrets/kubernetes.io/serviceaccount',
} = process.env;

/** However many ask, the API server is asked once a second. */
const keptMs = 1_000;
const apiTimeoutMs = 2_000;

const answered = new Map([
  [200, 0],
  [503, 0],
]);
let known = { at: Number.NEGATIVE_INFINITY, endpoints: Promise.resolve([]) };

const server = createServer(async ({ url }, response) => {
  if (url === '/healthz') return send(response, 200, 'ok\n');
  if (url === '/metrics') return send(response, 200, metrics(), 'text/plain; version=0.0.4');
  if (url !== '/') return send(response, 404, 'GET / lists the pods\n');
  try {
    const endpoints = await current();
    count(200);
    send(response, 200, `${JSON.stringify({ service, endpoints }, null, 2)}\n`, 'application/json');
  } catch (error) {
    count(503);
    send(response, 503, `the Kubernetes API does not tell: ${error.message}\n`);
  }
});
server.listen(Number(port), () => console.log(`listening on ${server.address().port}`));
// The first process of a container gets no signal that it does not ask for.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}

function current() {
  const now = performance.now();
  if (now - known.at >= keptMs) known = { at: now, endpoints: listEndpoints() };
  return known.endpoints;
}

/** The Ready ones, by name. The token is read each time, as it is renewed about once an hour. */
async function listEndpoints() {
  const [namespace, token, ca] = await Promise.all(
    ['namespace', 'token', 'ca.crt'].map((file) => readFile(join(account, file), 'utf8')),
  );
  const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  const { items } = await getJson({
    host: apiHost,
    port: apiPort,
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace.trim()}/endpointslices?labelSelector=${selector}`,
    ca,
    headers: { authorization: `Bearer ${token.trim()}` },
    timeout: apiTimeoutMs,
  });
  return items
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready)
    .map(({ targetRef, addresses, nodeName }) => ({
      pod: targetRef?.name,
      address: addresses[0],
      node: nodeName,
    }))
    .sort((a, b) => String(a.pod).localeCompare(String(b.pod)));
}

function getJson(options) {
  return new Promise((resolve, reject) => {
    const sent = request(options, async (response) => {
      try {
        const body = Buffer.concat(await response.toArray()).toString();
        if (response.statusCode !== 200) reject(new Error(`it answers ${response.statusCode}`));
        else resolve(JSON.parse(body));
      } catch (error) {
        reject(error);
      }
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${apiTimeoutMs} ms`)));
    sent.once('error', reject);
    sent.end();
  });
}

function count(status) {
  answered.set(status, (answered.get(status) ?? 0) + 1);
}

function metrics() {
  const series = [...answered].map(
    ([status, number]) => `http_requests_total{status="${status}"} ${number}\n`,
  );
  return `# TYPE http_requests_total counter\n${series.join('')}`;
}

function send(response, status, body, type = 'text/plain') {
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}
