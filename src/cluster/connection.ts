import { KubeConfig, type RequestContext } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import type { ClusterOrigin } from '#src/cluster/configured.ts';
import { Failure } from '#src/failure.ts';

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Told of each request to the API server, watches among them. */
  readonly onRequest: (method: string) => void;
}

/** Certificates and their authority are read again this often. */
const reuseMs = 5 * 60_000;
/** No single request may hold anything up for longer; watches have their own bound. */
const timeoutMs = 10_000;

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;

/**
 * The way to the API server. client-node 2.0 makes a new connection pool for every request, which costs a TLS handshake
 * each (kubernetes-client/javascript, `KubeConfig.createDispatcher`): here one pool serves for some minutes.
 */
export class Connection extends KubeConfig {
  readonly #options: ConnectionOptions;
  #pool: Dispatcher | undefined;
  #madeAt = 0;

  constructor(options: ConnectionOptions) {
    super();
    this.#options = options;
  }

  /** The namespace that this process runs in. */
  get namespace(): string {
    return this.getContextObject(this.getCurrentContext())?.namespace ?? 'default';
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    const { clock, onRequest } = this.#options;
    onRequest(context.getHttpMethod());
    context.setSignal(AbortSignal.timeout(timeoutMs));
    const now = clock.now();
    if (this.#pool === undefined || Math.abs(now - this.#madeAt) >= reuseMs) {
      this.#pool = context.getDispatcher();
      this.#madeAt = now;
    }
    if (this.#pool !== undefined) context.setDispatcher(this.#pool);
  }
}

/** Throws `invalid` for a file that cannot be used. */
export function connect(origin: ClusterOrigin, options: ConnectionOptions): Connection {
  const connection = new Connection(options);
  if (origin.kind === 'in-cluster') {
    connection.loadFromCluster();
    return connection;
  }
  try {
    connection.loadFromFile(origin.path);
  } catch (error) {
    // Its first line only: a parser quotes the file below it, and that may hold a token.
    const [got = ''] = String(error instanceof Error ? error.message : error).split('\n', 1);
    throw unusable(origin.path, got);
  }
  if (!connection.getCurrentCluster()) {
    throw unusable(origin.path, 'one without a current context');
  }
  return connection;
}

function unusable(path: string, got: string): Failure {
  return new Failure(
    'invalid',
    `KUBECONFIG ${path}: expected a kubeconfig file, got ${got}; name another, or leave it out to run without a cluster`,
  );
}
