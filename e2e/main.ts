// Starts a fresh control plane with KEDA, runs the cases against it, and ends everything. Arguments are ava's.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane } from '#e2e/control-plane/control-plane.ts';
import { builtPrograms } from '#e2e/control-plane/programs.ts';
import { variable } from '#e2e/harness/given.ts';
import { type Counts, closing, runAva } from '#scripts/run-ava.ts';

const startedAt = Date.now();
const phase = (what: string) =>
  console.log(`e2e: ${what} (at ${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
// A Ctrl-C reaches ava too: what is left is ended here, in order.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

/** What is timed has the machine for itself; of the rest many run at once, as they mostly wait. */
const parts = [
  { what: 'timed cases', options: ['e2e/cases/timed/*.test.ts', '--concurrency', '4'] },
  { what: 'cases', options: ['e2e/cases/*.test.ts', '--concurrency', '4'] },
  { what: 'examples', options: ['e2e/cases/examples/*.test.ts', '--concurrency', '4'] },
  { what: 'large cases', options: ['e2e/cases/alone/*.test.ts', '--concurrency', '1'] },
];
const given = process.argv.slice(2);

const programs = await builtPrograms();
phase('programs are there');
const folder = mkdtempSync(join(tmpdir(), 'e2e-'));
const timings = join(folder, 'timings');
let logs = join(folder, 'attempt-1', 'logs');
let counts: Counts = { passed: 0, failed: 1 };
try {
  const { stop, ...controlPlane } = await startControlPlane({ programs, folder });
  logs = controlPlane.logs;
  phase('Kubernetes and KEDA are ready');
  try {
    const connection = join(folder, 'control-plane.json');
    writeFileSync(connection, JSON.stringify({ ...controlPlane, programs, timings }));
    counts = { passed: 0, failed: 0 };
    for (const { what, options } of given.length > 0 ? [{ what: 'cases', options: given }] : parts) {
      const { passed, failed } = await runAva(['--config', 'e2e/ava.config.js', ...options], {
        [variable]: connection,
      });
      counts = { passed: counts.passed + passed, failed: counts.failed + failed };
      phase(`${what} are over`);
    }
    showTimings();
  } finally {
    await stop();
    phase('everything has ended');
  }
} catch (error) {
  console.error(error);
}
if (counts.failed > 0) showLogs();
else rmSync(folder, { recursive: true, force: true });
console.log(closing(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;

function showTimings(): void {
  if (!existsSync(timings)) return;
  for (const line of readFileSync(timings, 'utf8').trim().split('\n')) {
    const { what, value, unit } = JSON.parse(line) as { what: string; value: number; unit: string };
    console.log(`  ${`${Math.round(value * 10) / 10} ${unit}`.padStart(16)}  ${what}`);
  }
}

function showLogs(): void {
  for (const file of readdirSync(logs)) {
    const lines = readFileSync(join(logs, file), 'utf8').trim().split('\n');
    console.log(
      `\n== the end of ${join(logs, file)}\n${lines
        .slice(-15)
        .map((line) => line.slice(0, 400))
        .join('\n')}`,
    );
  }
}
