/** What to try next, for somebody who has just started the scaler in a terminal. */
export function hints({
  grpc,
  ingest,
  operations,
}: Record<'grpc' | 'ingest' | 'operations', string>): string {
  const elsewhere = grpc === '127.0.0.1:6000' ? '' : `GRPC_ADDRESS=${grpc} `;
  return `
Listening for KEDA on ${grpc} (gRPC), for alerts on http://${ingest}/ingest/falco, for health, metrics and status on
http://${operations}. Try, in another terminal:

  ${elsewhere}make ask FILE=examples/http-requests/scaledobject.yaml    # ask as KEDA would
  curl http://${operations}/status                                # what was answered
  make demo                                                        # the same with numbers, on a local Prometheus

`;
}
