import { secretOf } from './secret.ts';

/** Paths of PEM files, and the name that the server's certificate must have. */
export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
}

/** Options of `tls.connect`. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/**
 * Returns TLS options whose certificates are read from their files each time the options are copied. The clients of Kafka and Redis copy
 * them for each new connection, so a renewed certificate is used from the next connection on.
 */
export function tlsOf({ servername, ...files }: TlsFiles): TlsOptions {
  const options = servername === undefined ? {} : { servername };
  for (const [name, path] of Object.entries(files)) {
    if (path !== undefined) Object.defineProperty(options, name, { enumerable: true, get: secretOf(undefined, path) });
  }
  return options;
}
