/** How many calls of a namespace's triggers KEDA has seen end, by method and gRPC code: `{ 'GetMetrics OK': 12 }`. */
export async function kedaCalls(metricsUrl: string, namespace: string): Promise<Record<string, number>> {
  const text = await (await fetch(metricsUrl)).text();
  const calls: Record<string, number> = {};
  for (const line of text.split('\n')) {
    if (!line.startsWith('keda_grpc_client_handled_total{') || labelOf(line, 'namespace') !== namespace)
      continue;
    const key = `${labelOf(line, 'grpc_method')} ${labelOf(line, 'grpc_code')}`;
    calls[key] = (calls[key] ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return calls;
}

function labelOf(line: string, label: string): string {
  return new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? '';
}
