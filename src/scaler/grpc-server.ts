import type { ServerSessionOptions } from 'node:http2';
import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { Failure } from '#src/failure.ts';
import type { ExternalScalerHandlers } from '#src/scaler/generated/externalscaler/ExternalScaler.ts';
import { type Health, healthDefinition } from '#src/scaler/health.ts';
import { type Endable, longestLifeMs, type OpenStreams } from '#src/scaler/open-streams.ts';
import { externalScaler, packageDefinition } from '#src/scaler/proto.ts';

export interface GrpcServices {
  readonly calls: ExternalScalerHandlers;
  readonly health: Health;
  /** Also keeps the streams of health and reflection, so that a drain ends them too. */
  readonly streams: OpenStreams;
}

const hourMs = 3_600_000;

const options = {
  // It costs each call and each message, and nobody reads it.
  'grpc.enable_channelz': 0,
  // A ScaledObject's metadata is a few hundred bytes; up to here it is refused with words.
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.max_send_message_length': 1024 * 1024,
  // KEDA sends no keepalive: a node that vanished is noticed here.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // KEDA asks DNS again only when a connection ends, so an ageless one would keep new replicas idle.
  'grpc.max_connection_age_ms': 4 * hourMs,
  // A stream may have opened just before: it ends itself with OK within this time, and only then is it cut.
  'grpc.max_connection_age_grace_ms': longestLifeMs + hourMs / 4,
};

/**
 * HTTP/2's guard against rapid resets: over its burst nghttp2 closes the whole connection with GOAWAY, and every other
 * stream dies with it. Node's numbers, 1,000 and 33 a second, are less than what one restart of KEDA's scale loops
 * may cancel at once: two streams for each push trigger.
 */
const resets: Pick<ServerSessionOptions, 'streamResetBurst' | 'streamResetRate'> = {
  streamResetBurst: 100_000,
  streamResetRate: 10_000,
};

/** The gRPC server with all its services, not yet reachable. */
export function buildGrpcServer({ calls, health, streams }: GrpcServices): Server {
  const server = new Server(options);
  raiseResetLimit(server);
  server.addService(externalScaler, calls);
  const adopting = adoptingServer(server, streams);
  health.addTo(adopting);
  new ReflectionService({ ...packageDefinition, ...healthDefinition }).addToServer(adopting);
  return server;
}

/** grpc-js has no option for it; it gives the object in this private field to every HTTP/2 server it makes. */
function raiseResetLimit(server: Server): void {
  const common: unknown = Reflect.get(server, 'commonServerOptions');
  if (typeof common !== 'object' || common === null) {
    throw new Failure(
      'internal',
      'grpc-js: expected Server#commonServerOptions, where the limits of stream resets are set, got none; find their new place',
    );
  }
  Object.assign(common, resets);
}

/** A server whose added services have their streams adopted. */
function adoptingServer(server: Server, streams: OpenStreams): Pick<Server, 'addService'> {
  return {
    addService(service: ServiceDefinition, implementation: UntypedServiceImplementation) {
      const adopted = Object.entries(implementation).map(([name, handler]) => {
        const method = Object.entries(service).find(
          ([key, { originalName }]) => key === name || originalName === name,
        );
        if (!method?.[1].responseStream) return [name, handler];
        return [
          name,
          (call: Endable) => {
            (handler as (call: Endable) => void)(call);
            streams.adopt(call, method[0]);
          },
        ];
      });
      server.addService(service, Object.fromEntries(adopted));
    },
  };
}
