import { Failure } from '#src/failure.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import type { SysdigClient } from '#src/sources/sysdig/client.ts';
import type { ErrorContext } from '#src/sources/sysdig/errors.ts';

/** A metric as the Data API describes it. */
export interface MetricDescriptor {
  /** `net.http.request.count`. */
  readonly id: string;
  /** `gauge` or `counter`, where it is told. */
  readonly metricType: string | undefined;
  readonly timeAggregations: readonly string[];
  readonly groupAggregations: readonly string[];
}

/** One listing that succeeded. */
export interface Listing<T> {
  readonly items: readonly T[];
  /** Epoch ms. */
  readonly at: number;
  /** There are more than we keep. */
  readonly isTruncated: boolean;
}

/** What an account measures, in both notations; a part that never succeeded is undefined. */
export interface Catalog {
  readonly promqlNames: Listing<string> | undefined;
  readonly descriptors: Listing<MetricDescriptor> | undefined;
}

const pageSize = 500;
const maxItems = 50_000;
const nothing: Catalog = { promqlNames: undefined, descriptors: undefined };

/** Lists the metrics of accounts. A listing that fails leaves what was known before. */
export class MetricCatalog {
  readonly #client: Pick<SysdigClient, 'call'>;
  readonly #known = new Map<string, Catalog>();

  constructor(client: Pick<SysdigClient, 'call'>) {
    this.#client = client;
  }

  /** What the last successful listings said, however old. */
  known(account: Account): Catalog {
    return this.#known.get(account.name) ?? nothing;
  }

  /**
   * Lists both notations anew. `filter`: only descriptors whose id holds it; the names are always all. What succeeds is
   * kept even where the other fails; then it rejects with that `Failure`.
   */
  async refresh(account: Account, filter: string, signal: AbortSignal): Promise<Catalog> {
    const [names, descriptors] = await Promise.allSettled([
      this.#names(account, signal),
      this.#descriptors(account, filter, signal),
    ]);
    const before = this.known(account);
    const catalog = {
      promqlNames: names.status === 'fulfilled' ? names.value : before.promqlNames,
      descriptors: descriptors.status === 'fulfilled' ? descriptors.value : before.descriptors,
    };
    this.#known.set(account.name, catalog);
    for (const result of [names, descriptors]) if (result.status === 'rejected') throw result.reason;
    return catalog;
  }

  #names(account: Account, signal: AbortSignal): Promise<Listing<string>> {
    const request = { method: 'GET', path: '/prometheus/api/v1/label/__name__/values', headers: {} } as const;
    return this.#client.call(account, request, signal, readNames);
  }

  async #descriptors(
    account: Account,
    filter: string,
    signal: AbortSignal,
  ): Promise<Listing<MetricDescriptor>> {
    const items: MetricDescriptor[] = [];
    for (;;) {
      const query = new URLSearchParams({ offset: String(items.length), limit: String(pageSize), filter });
      const request = { method: 'GET', path: `/api/v2/metrics/descriptors?${query}`, headers: {} } as const;
      const { items: page, total, at } = await this.#client.call(account, request, signal, readPage);
      items.push(...page);
      if (page.length === 0 || items.length >= Math.min(total, maxItems)) return bounded(items, at, total);
    }
  }
}

function readNames(body: unknown, { upstream, now }: ErrorContext): Listing<string> {
  const { data } = Object(body) as { data?: unknown };
  if (!Array.isArray(data)) throw noListing(upstream);
  return bounded(
    data.filter((name) => typeof name === 'string'),
    now,
    data.length,
  );
}

function readPage(
  body: unknown,
  { upstream, now }: ErrorContext,
): { items: MetricDescriptor[]; total: number; at: number } {
  const { total, metricDescriptors } = Object(body) as { total?: unknown; metricDescriptors?: unknown };
  if (typeof total !== 'number' || !Array.isArray(metricDescriptors)) throw noListing(upstream);
  return { items: metricDescriptors.map((one) => descriptorOf(one, upstream)), total, at: now };
}

function descriptorOf(one: unknown, upstream: string): MetricDescriptor {
  const { id, metricType, timeAggregations, groupAggregations } = Object(one) as Record<string, unknown>;
  if (typeof id !== 'string') throw noListing(upstream);
  return {
    id,
    metricType: typeof metricType === 'string' ? metricType : undefined,
    timeAggregations: strings(timeAggregations),
    groupAggregations: strings(groupAggregations),
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

function bounded<T>(items: readonly T[], at: number, total: number): Listing<T> {
  const kept = items.slice(0, maxItems);
  return { items: kept, at, isTruncated: kept.length < total };
}

function noListing(upstream: string): Failure {
  return new Failure(
    'unavailable',
    `${upstream}: expected a listing of metrics, got other JSON; check SYSDIG_URL`,
  );
}
