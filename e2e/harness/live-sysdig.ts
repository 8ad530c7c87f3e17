import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startConfiguredPrometheus } from '#e2e/harness/configured-prometheus.ts';
import { Exporter } from '#e2e/harness/exporter.ts';
import { given } from '#e2e/harness/given.ts';
import type { Prometheus } from '#test/harness/prometheus.ts';
import { type FakeRequest, type SysdigFake, startSysdigFake } from '#test/harness/sysdig-fake.ts';
import { type FakeReply, replies } from '#test/harness/sysdig-replies.ts';

/** `open`: the real Prometheus answers. Otherwise how Sysdig is down. */
export type Door = 'open' | 'unavailable' | 'hanging' | 'not json';

const token = 'monitor-token';

/** Starts a Prometheus behind Sysdig's address and credentials, whose values a case sets and whose door it shuts. */
export async function startLiveSysdig(): Promise<LiveSysdig> {
  const exporter = new Exporter();
  await exporter.listen();
  const prometheus = await startConfiguredPrometheus([exporter]);
  const sysdig = new LiveSysdig(exporter, prometheus);
  await sysdig.open();
  return sysdig;
}

export class LiveSysdig {
  door: Door = 'open';
  readonly #exporter: Exporter;
  readonly #prometheus: Prometheus;
  readonly #folder = mkdtempSync(join(dirname(given().logs), 'sysdig-'));
  #fake: SysdigFake | undefined;

  constructor(exporter: Exporter, prometheus: Prometheus) {
    this.#exporter = exporter;
    this.#prometheus = prometheus;
  }

  async open(): Promise<void> {
    writeFileSync(join(this.#folder, 'token'), token);
    this.#fake = await startSysdigFake({
      token,
      record: false,
      rateLimit: 6_000,
      respond: (request) => this.#respond(request),
    });
  }

  /** What points a scaler here. */
  get settings(): Readonly<Record<string, string>> {
    return { SYSDIG_URL: this.#fake?.baseUrl ?? '', SYSDIG_TOKEN_FILE: join(this.#folder, 'token') };
  }

  /** The same for the chart, whose Secret `sysdig-token` then holds the token. */
  get values() {
    return { sysdig: { url: this.#fake?.baseUrl ?? '', existingSecret: 'sysdig-token' } };
  }

  get secrets() {
    return { 'sysdig-token': { token } };
  }

  /** How many requests have come so far. */
  get requests(): number {
    return this.#fake?.total ?? 0;
  }

  /** `series` as PromQL selects it. Resolves once a query answers the value. */
  set(series: string, value: number): Promise<void> {
    return this.setAll([series], value);
  }

  /** Gives all these series one value. Resolves once queries answer it. */
  async setAll(series: readonly string[], value: number): Promise<void> {
    for (const one of series) this.#exporter.set(one, value);
    // What one scrape brings is there at once.
    const last = series.at(-1);
    while (last !== undefined && (await this.#query(last)) !== value) await pause(50);
  }

  async stop(): Promise<void> {
    await this.#fake?.stop();
    await this.#prometheus.stop();
    this.#exporter.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #respond({ path, form }: FakeRequest): FakeReply | Promise<FakeReply | undefined> {
    if (this.door === 'unavailable') return replies.html(503, 'Service Unavailable');
    if (this.door === 'hanging') return { hang: 'head' };
    if (this.door === 'not json') return { body: '{"status":"succ' };
    if (path !== '/prometheus/api/v1/query') return Promise.resolve(undefined);
    return this.#forward(path, form);
  }

  async #forward(path: string, form: Readonly<Record<string, string>>): Promise<FakeReply> {
    const response = await fetch(`${this.#prometheus.baseUrl}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: await response.text() };
  }

  async #query(series: string): Promise<number | undefined> {
    const { body } = await this.#forward('/prometheus/api/v1/query', { query: series });
    const { data } = JSON.parse(String(body)) as { data: { result: { value: [number, string] }[] } };
    return data.result[0] && Number(data.result[0].value[1]);
  }
}
