import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type ScalerProcess, startScaler } from '#test/harness/scaler-process.ts';
import { median } from '../load.ts';
import type { AlertLoad, AlertLoadResult } from './alert-load.ts';
import { type DataFolder, dataFolder } from './data-folder.ts';
import { pin } from './pin.ts';

const rounds = 5;
const roundMs = 4_000;
const flags = ['--single-threaded-gc', '--max-semi-space-size=2'];

/**
 * `/ingest/falco` with the SQLite journal on, beside a bare node:http server that parses each alert and drops it, in
 * turns: one alert a request, 50 connections, server on one core and load on the other.
 */
export async function benchIngest() {
  const data = dataFolder();
  const scaler = await startPinned(data);
  const bare = fork(new URL('bare-ingest.ts', import.meta.url), { execArgv: flags });
  const { port: barePort } = await said<{ port: number }>(bare);
  const pinned = pin(bare.pid ?? 0, 0);
  const load = { path: '/ingest/falco', token: data.token, connections: 50, perRequest: 1, pods: 1_000 };
  const postTo = (port: number, forMs = roundMs) => runLoad({ ...load, port, forMs });
  await postTo(barePort, 2_000);
  await postTo(portOf(scaler), 2_000);
  const results = [];
  for (let round = 0; round < rounds; round++) {
    results.push({ bare: await postTo(barePort), ours: await postTo(portOf(scaler)) });
  }
  bare.disconnect();
  await scaler.stop();
  data.remove();
  return {
    pinned,
    bareAlertsPerSecond: median(results.map(({ bare: { alertsPerSecond } }) => alertsPerSecond)),
    alertsPerSecond: median(results.map(({ ours: { alertsPerSecond } }) => alertsPerSecond)),
    refused: results.reduce((sum, { ours: { refused } }) => sum + refused, 0),
    ratio: median(results.map(({ bare: one, ours }) => ours.alertsPerSecond / one.alertsPerSecond)),
    atLeast: 0.8,
  };
}

/** Alerts that are answered only when they are on disk, 100 in a request. */
export async function benchDurableIngest() {
  const data = dataFolder();
  const scaler = await startPinned(data);
  const load = {
    port: portOf(scaler),
    path: '/ingest/fluentbit',
    token: data.token,
    connections: 16,
    perRequest: 100,
    pods: 1_000,
  };
  await runLoad({ ...load, forMs: 2_000 });
  const result = await runLoad({ ...load, forMs: 8_000 });
  await scaler.stop();
  data.remove();
  return { ...result, atLeast: 60_000 };
}

/** Runs one load in its own process, on the second core. */
export async function runLoad(load: AlertLoad): Promise<AlertLoadResult> {
  const process = fork(new URL('alert-load.ts', import.meta.url), [JSON.stringify(load)]);
  await said(process);
  pin(process.pid ?? 0, 1);
  process.send({});
  return said<AlertLoadResult>(process);
}

export function portOf({ ingest }: ScalerProcess): number {
  return Number(new URL(ingest).port);
}

async function startPinned(data: DataFolder): Promise<ScalerProcess> {
  const scaler = await startScaler(data.settings);
  pin(scaler.pid, 0);
  return scaler;
}

async function said<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message');
  return message as T;
}
