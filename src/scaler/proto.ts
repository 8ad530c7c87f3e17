import { fileURLToPath } from 'node:url';
import type { PackageDefinition } from '@grpc/proto-loader';
import { loadSync } from '@grpc/proto-loader';
import type { ExternalScalerDefinition } from '#src/scaler/generated/externalscaler/ExternalScaler.ts';

const protoFile = fileURLToPath(new URL('../../proto/externalscaler.proto', import.meta.url));

/** The wire contract, for reflection. The options are those that the generated types were made with. */
export const packageDefinition: PackageDefinition = loadSync(protoFile, {
  keepCase: true,
  longs: Number,
  defaults: true,
});

/** KEDA's five calls. */
export const externalScaler = packageDefinition[
  'externalscaler.ExternalScaler'
] as unknown as ExternalScalerDefinition;

/** The service's name, as health checks ask for it. */
export const serviceName = 'externalscaler.ExternalScaler';
