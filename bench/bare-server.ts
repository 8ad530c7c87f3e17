// What grpc-js alone costs: the same contract and an answer of the same size, which is a constant. Its metric's name is the
// argument. Tells its port, and its CPU time when asked.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { externalScaler } from '#src/scaler/proto.ts';

const [, , metricName = 'constant'] = process.argv;
const answer = { metricValues: [{ metricName, metricValue: 1, metricValueFloat: 1 }] };
const server = new Server();
server.addService(externalScaler, {
  GetMetrics: (_call: unknown, respond: (error: null, value: typeof answer) => void) => respond(null, answer),
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.({ port });
});
process.on('message', () =>
  process.send?.({ cpuMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000 }),
);
process.on('disconnect', () => process.exit());
