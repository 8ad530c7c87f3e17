import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { healthDefinition } from '#src/scaler/health.ts';

/** A probe of a container, as its manifest writes it. */
export interface Probe {
  readonly grpc?: { readonly port: number };
  readonly httpGet?: { readonly path: string; readonly port: string };
}

/** Whether the kubelet would be content, for a pod with that address. */
export async function probe(
  { grpc, httpGet }: Probe,
  host: string,
  ports: readonly { name: string; containerPort: number }[],
): Promise<boolean> {
  if (grpc !== undefined) return serves(`${host}:${grpc.port}`);
  const port = ports.find(({ name }) => name === httpGet?.port)?.containerPort;
  return (await fetch(`http://${host}:${port}${httpGet?.path}`)).ok;
}

/** What grpc.health.v1 says of the server as a whole. */
function serves(address: string): Promise<boolean> {
  const { grpc } = loadPackageDefinition(healthDefinition) as unknown as {
    grpc: { health: { v1: { Health: ServiceClientConstructor } } };
  };
  const client = new grpc.health.v1.Health(address, credentials.createInsecure());
  const serving = 1;
  return new Promise((resolve, reject) => {
    client['check']?.({ service: '' }, (error: Error | null, answer: { status: number }) => {
      client.close();
      if (error === null) resolve(answer.status === serving);
      else reject(error);
    });
  });
}
