// Asks a running scaler, as KEDA would, about every external trigger of a file.
import { KedaClient } from '#test/harness/keda-client.ts';
import { Poller } from './keda.ts';
import { type ExternalTrigger, readScaledObjects, type ScaledObject } from './scaled-objects.ts';

const file = process.argv[2] ?? 'examples/*/scaledobject.yaml';
const address = (process.env['GRPC_ADDRESS'] ?? '127.0.0.1:6000').replace(
  /^0\.0\.0\.0:|^\[::\]:/,
  '127.0.0.1:',
);

process.on('uncaughtException', (error) => {
  console.error(error.message);
  process.exit(1);
});
const objects = readScaledObjects(file);
if (objects.length === 0) {
  console.error(
    `${file}: expected a ScaledObject with a trigger of type external or external-push, found none`,
  );
  process.exit(1);
}
const client = new KedaClient(address);
for (const object of objects) {
  for (const trigger of object.triggers) await ask(object, trigger);
}
client.close();

/** A value that is missing is an answer too; only a scaler that gives no spec fails the command. */
async function ask(object: ScaledObject, trigger: ExternalTrigger): Promise<void> {
  const poller = new Poller(client, object, trigger);
  console.log(`${object.namespace}/${object.name} (${object.file})`);
  try {
    const spec = await poller.spec();
    console.log(`  metric    ${spec.metricName}\n  target    ${spec.target}`);
    const measured = await poller.measure(spec).catch((error: Error) => error);
    if (measured instanceof Error) console.log(`  no value  ${measured.message}`);
    else console.log(`  value     ${measured.value}\n  active    ${measured.active ? 'yes' : 'no'}`);
  } catch (error) {
    console.log(`  no spec   ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
