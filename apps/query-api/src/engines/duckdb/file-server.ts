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

/** The files that one sandbox may read, until the grant is revoked. */
export interface FileGrant {
  /** Begins the URL of each file, and of nothing else that the server answers. */
  readonly url: string;
  /** URL of each file, in the order in which they were granted. It tells the partition, and neither bucket nor key. */
  readonly files: readonly string[];
  /** Bytes of files that were sent. */
  bytesSent(): number;
  /** Why a read from S3 failed last, or undefined. */
  failure(): unknown;
  /** Ends the reads under way; the URLs are no longer answered. */
  revoke(): void;
}

interface Granted {
  readonly files: readonly LakeFile[];
  readonly revoked: AbortController;
  bytesSent: number;
  failure: unknown;
}

/**
 * Serves files of the lake to sandboxes over HTTP on the loopback interface. A sandbox therefore needs neither credentials nor the
 * address of S3, can write nothing, and keeps one connection for many files. A URL holds 256 random bits and is valid for one run.
 */
export class FileServer {
  readonly #server: Server;
  readonly #reads: FileReads;
  readonly #granted = new Map<string, Granted>();
  readonly #origin: string;

  private constructor(server: Server, reads: FileReads) {
    this.#server = server;
    this.#reads = reads;
    this.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // A reader that goes away ends its answer; there is nothing to tell it.
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

  /**
   * Lets the holder of the URLs read these files.
   *
   * @param partitionKey name of the partition column, which DuckDB reads from the URL
   */
  grant(partitionKey: string, files: readonly LakeFile[]): FileGrant {
    const token = randomBytes(32).toString('base64url');
    const granted: Granted = { files, revoked: new AbortController(), bytesSent: 0, failure: undefined };
    this.#granted.set(token, granted);
    const url = `${this.#origin}/${token}/`;
    return {
      url,
      files: files.map(({ partition }, index) => `${url}${partitionKey}=${encodeURIComponent(partition)}/${index}`),
      bytesSent: () => granted.bytesSent,
      failure: () => granted.failure,
      revoke: () => {
        this.#granted.delete(token);
        granted.revoked.abort();
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
    const [, token = '', index = ''] = /^\/([\w-]+)\/[^/]+\/(\d{1,9})$/.exec(request.url ?? '') ?? [];
    const granted = this.#granted.get(token);
    const file = granted?.files[Number(index)];
    if (granted === undefined || file === undefined) return end(response, 404);
    if (request.method === 'HEAD') return end(response, 200, { 'content-length': file.bytes, ...unchanging });
    if (request.method !== 'GET') return end(response, 405, { allow: 'GET, HEAD' });
    const range = rangeOf(request.headers.range, file.bytes);
    if (range === undefined) return end(response, 416, { 'content-range': `bytes */${file.bytes}` });

    const { from, to } = range;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, granted.revoked.signal]);
    this.#reads.ahead(granted.files.slice(Number(index) + 1, Number(index) + 1 + filesAhead));
    let body: Awaited<ReturnType<FileReads['read']>>;
    try {
      body = await this.#reads.read(file, from, to, signal);
    } catch (error) {
      granted.failure = error;
      // DuckDB tries again.
      return end(response, 503);
    }
    granted.bytesSent += to - from;
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
      granted.failure = error;
      throw error;
    }
  }
}

/** Lets DuckDB trust what it has read of a file already. */
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
