// node scripts/sbom.ts writes dist/external-scaler-sysdig-VERSION.spdx.json: the npm packages that are in the image,
// as npm itself tells them, the same bytes for the same commit.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Spdx {
  documentNamespace: string;
  creationInfo: { created: string };
  readonly packages: readonly { readonly name: string; readonly versionInfo: string }[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly name?: string }>>;
}

const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
try {
  const { version } = readJson<{ version: string }>('package.json');
  const spdx = describe(folder);
  assertComplete(spdx, readJson<Lock>(join(folder, 'node_modules/.package-lock.json')));
  spdx.creationInfo.created = createdAt()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  // npm draws a number; the content's hash tells one document from another as well.
  const hash = createHash('sha256')
    .update(JSON.stringify({ ...spdx, documentNamespace: '' }))
    .digest('hex');
  spdx.documentNamespace = `https://spdx.org/spdxdocs/external-scaler-sysdig-${version}-${hash.slice(0, 32)}`;
  mkdirSync('dist', { recursive: true });
  const file = `dist/external-scaler-sysdig-${version}.spdx.json`;
  writeFileSync(file, `${JSON.stringify(spdx, null, 2)}\n`);
  console.log(`${file}: ${spdx.packages.length} packages`);
} finally {
  rmSync(folder, { recursive: true });
}

/**
 * Of a copy without anything of development: npm's own `--omit=dev` also leaves out what both kinds of dependencies
 * share (34 of 127 packages, with npm 11.19).
 */
function describe(folder: string): Spdx {
  for (const file of ['.npmrc', 'package.json', 'package-lock.json']) cpSync(file, join(folder, file));
  npm('ci', '--omit=dev', '--ignore-scripts', '--no-bin-links', '--prefer-offline');
  rmSync(join(folder, 'package-lock.json'));
  npm('pkg', 'delete', 'devDependencies');
  return JSON.parse(npm('sbom', '--sbom-format=spdx', '--sbom-type=application'));
}

function npm(...args: string[]): string {
  return execFileSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function assertComplete({ packages }: Spdx, lock: Lock): void {
  const told = new Set(packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`));
  const missing = Object.entries(lock.packages)
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').at(-1)}@${version}`)
    .filter((installed) => !told.has(installed));
  if (missing.length > 0)
    throw new Error(`expected every installed package, but npm sbom left out ${missing.join(', ')}`);
}

/** SOURCE_DATE_EPOCH, else the time of the commit, else now. */
function createdAt(): Date {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  if (epoch !== undefined) return new Date(Number(epoch) * 1000);
  try {
    const text = execFileSync('git', ['log', '-1', '--pretty=%ct'], { encoding: 'utf8', stdio: 'pipe' });
    return new Date(Number(text) * 1000);
  } catch {
    return new Date();
  }
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8'));
}
