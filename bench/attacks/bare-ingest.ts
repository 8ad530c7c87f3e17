// What node:http alone costs: it parses each alert and drops it. Tells its port, and its CPU time when asked.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString() ?? '');
    response.writeHead(204);
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () =>
  process.send?.({ cpuMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000 }),
);
process.on('disconnect', () => process.exit());
