import { ingestAddress } from '#src/configuration/ingest-rules.ts';
import type { Configuration } from '#src/configuration/read-configuration.ts';
import { isLoopback, parseAddress } from '#src/listen-address.ts';
import type { Log } from '#src/log.ts';

/** Says at the start what is allowed and yet may not be meant. */
export function warn({ settings, accounts, credentials }: Configuration, log: Log): void {
  const grpc = settings['grpc.address'];
  if (accounts.size === 0) {
    log.warn(
      {},
      'no Sysdig account is configured: triggers of source sysdig get no value; set SYSDIG_REGION or SYSDIG_URL, and SYSDIG_TOKEN_FILE',
    );
  } else if (!isLoopback(parseAddress(grpc)) && settings['grpc.tls.clientCaFile'] === undefined) {
    log.warn(
      { address: grpc },
      'whoever reaches the gRPC port can read what the Sysdig token can: limit it by a NetworkPolicy, or set grpc.tls.clientCaFile',
    );
  }
  const ingest = ingestAddress(settings, credentials.size);
  if (credentials.size === 0 && !isLoopback(parseAddress(ingest))) {
    log.warn({ address: ingest }, 'whoever reaches the ingest can raise an attack: set INGEST_TOKEN_FILE');
  }
  if (settings.journal === 'memory:') {
    log.warn({}, 'the journal is in memory: a restart forgets every alert; set JOURNAL=sqlite:PATH');
  }
}
