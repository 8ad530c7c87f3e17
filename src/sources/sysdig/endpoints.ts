import { Failure } from '#src/failure.ts';
import { nearest } from '#src/fields/suggestion.ts';

/** Sysdig's own regions (Sysdig documentation: SaaS regions and IP ranges). */
const hosts: Readonly<Record<string, string>> = {
  us1: 'app.sysdigcloud.com',
  us2: 'us2.app.sysdig.com',
  eu1: 'eu1.app.sysdig.com',
  us3: 'app.us3.sysdig.com',
  us4: 'app.us4.sysdig.com',
  eu2: 'app.eu2.sysdig.com',
  au1: 'app.au1.sysdig.com',
  in1: 'app.in1.sysdig.com',
  jp1: 'app.jp1.sysdig.com',
  me2: 'app.me2.sysdig.com',
};

/** The names that `regionUrl` knows, beside IBM Cloud's open-ended ones. */
export const regions: readonly string[] = Object.keys(hosts);

/**
 * The address of a region: `eu1`, or IBM Cloud's `ibm:eu-de` and, over its private network, `ibm-private:eu-de` (IBM
 * Cloud documentation: Monitoring endpoints; its list grows, so only the form is checked). Throws `invalid`.
 */
export function regionUrl(region: string): string {
  const host = Object.hasOwn(hosts, region) ? hosts[region] : ibmHost(region);
  if (host !== undefined) return `https://${host}`;
  const meant = nearest(region, regions);
  throw new Failure(
    'invalid',
    `region: expected one of ${regions.join(', ')}, ibm:REGION or ibm-private:REGION, got ${JSON.stringify(region)}; ` +
      (meant === undefined ? 'for another address set the URL instead' : `did you mean ${meant}?`),
  );
}

/**
 * The operator's own address of Sysdig, without a trailing slash. A path in front of `/api` and `/prometheus` is kept.
 * Plain http is for loopback, or for `allowHttp`: the token would travel in the clear. Throws `invalid`.
 */
export function ownUrl(text: string, { allowHttp }: { readonly allowHttp: boolean }): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw wrong(`got ${JSON.stringify(withoutSecrets(text))}`);
  }
  if (url.username || url.password) {
    throw wrong(`got one with credentials for ${url.host}; they belong in the token file`);
  }
  if (url.search || url.hash || /[?#]/.test(text)) {
    throw wrong(`got one with a query or a fragment for ${url.host}; leave off everything from ? or # on`);
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    throw wrong(
      `got plain http for ${url.host}, which shows the token to the network; use https or set SYSDIG_ALLOW_HTTP=true`,
    );
  }
  const path = url.pathname.replace(/\/+$/, '');
  if (/\/(?:api|prometheus)(?:\/.*)?$/.test(path)) {
    throw wrong(
      `got ${url.origin}${path}; leave off /api or /prometheus and what follows, which are added to it`,
    );
  }
  return url.origin + path;
}

/** An account's address, from its region or its own URL. Throws `invalid`. */
export function addressOf({
  url,
  region = '',
  allowHttp,
}: {
  url?: string | undefined;
  region?: string | undefined;
  allowHttp: boolean;
}): string {
  return url === undefined ? regionUrl(region) : ownUrl(url, { allowHttp });
}

/** Whether a host name, as `URL` writes it, is this machine's own. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function ibmHost(region: string): string | undefined {
  const [, isPrivate, name] = /^ibm(-private)?:([a-z]{2}-[a-z]{2,12}(?:-\d)?)$/.exec(region) ?? [];
  if (name === undefined) return undefined;
  return `${isPrivate ? 'private.' : ''}${name}.monitoring.cloud.ibm.com`;
}

function wrong(came: string): Failure {
  return new Failure(
    'invalid',
    `url: expected the address of Sysdig such as https://eu1.app.sysdig.com, ${came}`,
  );
}

function withoutSecrets(text: string): string {
  return text
    .replace(/^.*@/s, '…@')
    .replace(/[?#].*$/s, '')
    .slice(0, 100);
}
