import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves values that a case changes as it goes, for a Prometheus to scrape. */
export class Exporter {
  readonly #values = new Map<string, number>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end([...this.#values].map(([series, value]) => `${series} ${value}\n`).join(''));
    });
  }

  /** `127.0.0.1:PORT` */
  get address(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()));
  }

  /** `series` as PromQL selects it: `load{namespace="shop"}`. */
  set(series: string, value: number): void {
    this.#values.set(series, value);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
