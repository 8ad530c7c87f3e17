import { createHash, timingSafeEqual } from 'node:crypto';

/** Where a request comes from and what it shows. */
export interface Visitor {
  readonly remoteAddress: string | undefined;
  readonly authorization: string | undefined;
}

const loopback = /^(?:::ffff:)?127\.|^::1$/;

/** Whether somebody may read values and names: from this machine (a port-forward ends there too), or with the token. */
export function maySeeStatus(
  { remoteAddress = '', authorization = '' }: Visitor,
  token: string | undefined,
): boolean {
  if (loopback.test(remoteAddress)) return true;
  const [scheme, given] = authorization.split(' ', 2);
  if (token === undefined || token === '' || scheme?.toLowerCase() !== 'bearer' || given === undefined)
    return false;
  return timingSafeEqual(digest(given), digest(token));
}

/** Equal lengths, so that the comparison takes the same time for any guess. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
