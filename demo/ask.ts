// Asks a running scaler, as KEDA would, about every external trigger of a file.
import { KedaClient } from '#test/harness/keda-client.ts';
import { poll } from './keda.ts';
import { readScaledObjects } from './scaled-objects.ts';

const file = process.argv[2] ?? 'examples/*/scaledobject.yaml';
const address = (process.env['GRPC_ADDRESS'] ?? '127.0.0.1:6000').replace(
  /^0\.0\.0\.0:|^\[::\]:/,
  '127.0.0.1:',
);

const objects = readScaledObjects(file);
if (objects.length === 0) {
  console.error(
    `${file}: expected a ScaledObject with a trigger of type external or external-push; none is there`,
  );
  process.exit(1);
}
const client = new KedaClient(address);
for (const object of objects) {
  for (const trigger of object.triggers) {
    const who = `${object.namespace}/${object.name}`;
    try {
      const { metricName, target, value, active } = await poll(client, object, trigger);
      console.log(
        `${who}  ${metricName}  value ${value}  target ${target}  ${active ? 'active' : 'inactive'}`,
      );
    } catch (error) {
      console.log(`${who}  ${error instanceof Error ? error.message : error}`);
      process.exitCode = 1;
    }
  }
}
client.close();
