import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { HealthImplementation, protoPath } from 'grpc-health-check';
import { serviceName } from '#src/scaler/proto.ts';

/** For reflection. */
export const healthDefinition: PackageDefinition = loadSync(protoPath);

/**
 * grpc.health.v1, for the server as a whole and for KEDA's service. It tells only whether this process can answer:
 * a fault that all replicas share (Sysdig down, say) must not take every one of them away.
 */
export class Health {
  readonly #implementation = new HealthImplementation({ '': 'NOT_SERVING', [serviceName]: 'NOT_SERVING' });

  set(isServing: boolean): void {
    const status = isServing ? 'SERVING' : 'NOT_SERVING';
    for (const service of ['', serviceName]) this.#implementation.setStatus(service, status);
  }

  addTo(server: Parameters<HealthImplementation['addToServer']>[0]): void {
    this.#implementation.addToServer(server);
  }
}
