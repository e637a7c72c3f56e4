import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { FileReads } from './file-reads.ts';
import type { LakeFile } from './lake-file.ts';

/** Connections that are open at once: each sandbox opens a few for each of its threads. */
const connectionsMax = 1024;
/** Files that are read ahead of the one that DuckDB asks for. */
const filesAhead = 8;

/** Lets one sandbox read files for as long as it lives. */
export interface FileLease {
  /** Begins the URL of each file, and of nothing else that the server answers. */
  readonly url: string;
  /**
   * Lets the sandbox read these files until the grant is revoked. A file has the same URL in each grant of a lease, so that DuckDB can
   * cache it.
   *
   * @param partitionKey name of the partition column, which DuckDB reads from the URL
   */
  grant(partitionKey: string, files: readonly LakeFile[]): FileGrant;
  /** Ends the lease and all its grants. */
  end(): void;
}

/** The files that one statement may read, until the grant is revoked. */
export interface FileGrant {
  /** URL of each file, in the order in which they were granted. It shows the partition, but neither bucket nor key. */
  readonly files: readonly string[];
  /** Bytes of files that were sent. */
  bytesSent(): number;
  /** Why a read from S3 failed last, or undefined. */
  failure(): unknown;
  /** Ends the reads under way; the URLs are no longer answered. */
  revoke(): void;
}

class Grant {
  readonly files: readonly LakeFile[];
  readonly revoked = new AbortController();
  bytesSent = 0;
  failure: unknown;

  constructor(files: readonly LakeFile[]) {
    this.files = files;
  }
}

/** The files of a lease: their ids, and those that are granted now. */
class Lease {
  readonly #ids = new Map<string, number>();
  readonly #granted = new Map<number, { grant: Grant; position: number }>();

  add(grant: Grant): readonly number[] {
    return grant.files.map((file, position) => {
      const id = this.#idOf(file);
      this.#granted.set(id, { grant, position });
      return id;
    });
  }

  remove(ids: readonly number[]): void {
    for (const id of ids) this.#granted.delete(id);
  }

  find(id: number): { readonly grant: Grant; readonly position: number } | undefined {
    return this.#granted.get(id);
  }

  end(): void {
    for (const { grant } of this.#granted.values()) grant.revoked.abort();
    this.#granted.clear();
  }

  #idOf({ bucket, key }: LakeFile): number {
    const name = JSON.stringify([bucket, key]);
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(name, id);
    return id;
  }
}

/**
 * Serves files of the lake to sandboxes over HTTP on the loopback interface. A sandbox therefore needs neither credentials nor the
 * address of S3, can write nothing, and keeps one connection for many files. A URL holds 256 random bits. It is answered while a
 * statement of its sandbox runs that was granted the file.
 */
export class FileServer {
  readonly #server: Server;
  readonly #reads: FileReads;
  readonly #leases = new Map<string, Lease>();
  readonly #origin: string;

  private constructor(server: Server, reads: FileReads) {
    this.#server = server;
    this.#reads = reads;
    this.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // A reader that disconnects ends its answer.
      void this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** Opens a server on a free port. */
  static async open(reads: FileReads): Promise<FileServer> {
    // DuckDB may compute for long between two reads over one connection.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    server.maxConnections = connectionsMax;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    return new FileServer(server, reads);
  }

  /** Opens a lease for one sandbox. */
  lease(): FileLease {
    const token = randomBytes(32).toString('base64url');
    const lease = new Lease();
    this.#leases.set(token, lease);
    const url = `${this.#origin}/${token}/`;
    return {
      url,
      grant: (partitionKey, files) => {
        const grant = new Grant(files);
        const ids = lease.add(grant);
        return {
          files: files.map(({ partition }, position) => `${url}${partitionKey}=${encodeURIComponent(partition)}/${ids[position]}`),
          bytesSent: () => grant.bytesSent,
          failure: () => grant.failure,
          revoke: () => {
            lease.remove(ids);
            grant.revoked.abort();
          },
        };
      },
      end: () => {
        this.#leases.delete(token);
        lease.end();
      },
    };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, token = '', id = ''] = /^\/([\w-]+)\/[^/]+\/(\d{1,9})$/.exec(request.url ?? '') ?? [];
    const found = this.#leases.get(token)?.find(Number(id));
    if (found === undefined) return end(response, 404);
    const { grant, position } = found;
    const file = grant.files[position]!;
    if (request.method === 'HEAD') return end(response, 200, { 'content-length': file.bytes, ...unchanging });
    if (request.method !== 'GET') return end(response, 405, { allow: 'GET, HEAD' });
    const range = rangeOf(request.headers.range, file.bytes);
    if (range === undefined) return end(response, 416, { 'content-range': `bytes */${file.bytes}` });

    const { from, to } = range;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, grant.revoked.signal]);
    this.#reads.ahead(grant.files.slice(position + 1, position + 1 + filesAhead));
    let body: Awaited<ReturnType<FileReads['read']>>;
    try {
      body = await this.#reads.read(file, from, to, signal);
    } catch (error) {
      grant.failure = error;
      // DuckDB tries again.
      return end(response, 503);
    }
    grant.bytesSent += to - from;
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      'content-length': to - from,
      'content-range': `bytes ${from}-${to - 1}/${file.bytes}`,
      ...unchanging,
    });
    if (body instanceof Uint8Array) {
      response.end(body);
      return;
    }
    try {
      await pipeline(body, response, { signal });
    } catch (error) {
      grant.failure = error;
      throw error;
    }
  }
}

/** Lets DuckDB trust its cache of a file. */
const unchanging = { 'accept-ranges': 'bytes', etag: '"unchanging"', 'last-modified': 'Sat, 01 Jan 2000 00:00:00 GMT' };

function end(response: ServerResponse, status: number, headers: Readonly<Record<string, string | number>> = {}): void {
  response.writeHead(status, status === 200 ? headers : { 'content-length': 0, ...headers }).end();
}

/** The range [from, to) that a header asks for, or undefined when the file has no such bytes. */
function rangeOf(header: string | undefined, bytes: number): { from: number; to: number } | undefined {
  if (header === undefined) return { from: 0, to: bytes };
  const match = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header);
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = Math.min(match[2] === undefined ? bytes : Number(match[2]) + 1, bytes);
  return from < to ? { from, to } : undefined;
}
