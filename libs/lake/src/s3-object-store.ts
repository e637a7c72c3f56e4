import type { ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { awsConnections, type ConnectionSettings } from './aws-connections.ts';
import { awsErrorToLakeError, codeOfAwsError } from './aws-errors.ts';
import { LakeError, remedyOfLakeError } from './errors.ts';
import { splitRoot, type ObjectSettings } from './lake-settings.ts';
import type { CallOptions, InspectableStore, ListedObject, ObjectBody, PutOptions } from './object-store.ts';

/** The calls of the object store, as guards and metrics name them. */
export type StoreCall = 'put' | 'get' | 'head' | 'copy' | 'list' | 'delete';

/** Wraps a call to S3: a resilience pipeline, or nothing. */
export type StoreGuard = <T>(
  call: StoreCall,
  run: (signal: AbortSignal | undefined) => Promise<T>,
  signal: AbortSignal | undefined,
) => Promise<T>;

/**
 * An S3 client whose own retries are off: one layer owns retries, and it is not the SDK. Endpoint, region and credentials come from
 * the SDK's own environment keys (`AWS_ENDPOINT_URL_S3`, `AWS_REGION`, …).
 *
 * @param objects how every request of this client writes objects, and whose bucket it must be
 */
export function s3Client(settings: ConnectionSettings = {}, overrides: S3ClientConfig = {}, objects: ObjectSettings = {}): S3Client {
  const client = new S3Client({
    maxAttempts: 1,
    forcePathStyle: true,
    // Without a logger the SDK writes to the console that it cannot send a stream again.
    logger: silent,
    requestHandler: awsConnections(settings),
    ...overrides,
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      const { protocol, hostname, port } = args.request as { protocol: string; hostname: string; port?: number };
      addresses.set(client, `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
      return await next(args);
    },
    { step: 'finalizeRequest', name: 'rememberAddress' },
  );
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) =>
        await next({ ...args, input: { ...inputOf(String(commandName), objects), ...args.input } }),
    { step: 'initialize', name: 'objectSettings' },
  );
  return client;
}

/** The part of each request that follows from the settings of the bucket. */
function inputOf(commandName: string, { kmsKey, bucketOwner, tags }: ObjectSettings): Record<string, unknown> {
  const isCopy = commandName === 'CopyObjectCommand';
  // A copy keeps the tags of its source, but its encryption is that of the request.
  const tagging = tags === undefined || commandName !== 'PutObjectCommand' ? {} : { Tagging: taggingOf(tags) };
  return {
    ...(bucketOwner === undefined ? {} : { ExpectedBucketOwner: bucketOwner }),
    ...(bucketOwner === undefined || !isCopy ? {} : { ExpectedSourceBucketOwner: bucketOwner }),
    ...(kmsKey === undefined || (!isCopy && commandName !== 'PutObjectCommand')
      ? {}
      : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey }),
    ...tagging,
  };
}

function taggingOf(tags: readonly string[]): string {
  const pairs = tags.map((tag): [string, string] => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]);
  return new URLSearchParams(pairs).toString();
}

// Address of the last request of each client. The SDK does not expose the endpoint that the environment gave it.
const addresses = new WeakMap<S3Client, string>();

const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The object store on S3. */
export class S3ObjectStore implements InspectableStore {
  readonly bucket: string;
  readonly #client: S3Client;
  readonly #guard: StoreGuard;
  /** Empty, or a prefix with its slash. Callers neither give nor get it. */
  readonly #prefix: string;

  /**
   * @param client a client whose own retries are off
   * @param root the bucket, which must exist, and the prefix of all keys after a slash; see `lakeRoot`
   * @param guard wraps every call
   */
  constructor(client: S3Client, root: string, guard: StoreGuard = async (_call, run, signal) => await run(signal)) {
    this.#client = client;
    this.bucket = splitRoot(root).bucket;
    this.#prefix = splitRoot(root).prefix;
    this.#guard = guard;
  }

  /** Address of the last request and the bucket, for messages. Before the first request the bucket alone. */
  get address(): string {
    const address = addresses.get(this.#client);
    return address === undefined ? `s3://${this.bucket}` : `${address}/${this.bucket}`;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    await this.#call('put', key, options.signal, async (sending) => {
      // Each attempt opens a new stream: a partly read stream cannot be sent again.
      const content = body instanceof Uint8Array ? body : await streamOf(body.path);
      try {
        await this.#client.send(
          new PutObjectCommand({
            Bucket: this.bucket,
            Key: this.#prefix + key,
            Body: content,
            ContentLength: body instanceof Uint8Array ? body.byteLength : body.bytes,
            ...(options.ifAbsent === true ? { IfNoneMatch: '*' } : {}),
            ...(options.sha256 === undefined ? {} : { ChecksumSHA256: Buffer.from(options.sha256, 'hex').toString('base64') }),
            ...(options.metadata === undefined ? {} : { Metadata: { ...options.metadata } }),
            ...(options.contentType === undefined ? {} : { ContentType: options.contentType }),
          }),
          sending,
        );
      } finally {
        // The SDK does not close a stream that it could not send.
        if (!(content instanceof Uint8Array)) content.destroy();
      }
    });
  }

  async get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return await this.#call('get', key, options.signal, async (sending) => {
      try {
        const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.#prefix + key }), sending);
        return await Body!.transformToByteArray();
      } catch (error) {
        if (codeOfAwsError(error) === 'no-such-key') return undefined;
        throw error;
      }
    });
  }

  async size(key: string, options: CallOptions = {}): Promise<number | undefined> {
    return await this.#call('head', key, options.signal, async (sending) => {
      try {
        const { ContentLength } = await this.#client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: this.#prefix + key }), sending);
        return ContentLength ?? 0;
      } catch (error) {
        if (codeOfAwsError(error) === 'no-such-key') return undefined;
        throw error;
      }
    });
  }

  /** The time of the object's last write, or undefined when it is not there. */
  async modifiedAt(key: string, options: CallOptions = {}): Promise<Date | undefined> {
    return await this.#call('head', key, options.signal, async (sending) => {
      try {
        const { LastModified } = await this.#client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: this.#prefix + key }), sending);
        return LastModified ?? new Date(0);
      } catch (error) {
        if (codeOfAwsError(error) === 'no-such-key') return undefined;
        throw error;
      }
    });
  }

  async copy(sourceKey: string, targetKey: string, options: CallOptions = {}): Promise<void> {
    await this.#call('copy', sourceKey, options.signal, async (sending) => {
      const source = `${this.bucket}/${(this.#prefix + sourceKey).split('/').map(encodeURIComponent).join('/')}`;
      await this.#client.send(new CopyObjectCommand({ Bucket: this.bucket, Key: this.#prefix + targetKey, CopySource: source }), sending);
    });
  }

  async list(prefix: string, options: CallOptions & { startAfter?: string; limit?: number } = {}): Promise<string[]> {
    return (await this.listSized(prefix, options)).map(({ key }) => key);
  }

  async listSized(prefix: string, options: CallOptions & { startAfter?: string; limit?: number } = {}): Promise<ListedObject[]> {
    return await this.#call('list', prefix, options.signal, async (sending) => {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: this.#prefix + prefix,
          MaxKeys: options.limit ?? 1000,
          ...(options.startAfter === undefined ? {} : { StartAfter: this.#prefix + options.startAfter }),
        }),
        sending,
      );
      return (page.Contents ?? []).map(({ Key, Size, LastModified }) => ({
        key: Key!.slice(this.#prefix.length),
        bytes: Size ?? 0,
        ...(LastModified === undefined ? {} : { putAtMs: LastModified.getTime() }),
      }));
    });
  }

  async getRange(key: string, from: number, to: number, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return await this.#call('get', key, options.signal, async (sending) => {
      try {
        const { Body } = await this.#client.send(
          new GetObjectCommand({ Bucket: this.bucket, Key: this.#prefix + key, Range: `bytes=${from}-${to - 1}` }),
          sending,
        );
        return await Body!.transformToByteArray();
      } catch (error) {
        if (codeOfAwsError(error) === 'no-such-key') return undefined;
        throw error;
      }
    });
  }

  async metadata(key: string, options: CallOptions = {}): Promise<Readonly<Record<string, string>> | undefined> {
    return await this.#call('head', key, options.signal, async (sending) => {
      try {
        const { Metadata } = await this.#client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: this.#prefix + key }), sending);
        return Metadata ?? {};
      } catch (error) {
        if (codeOfAwsError(error) === 'no-such-key') return undefined;
        throw error;
      }
    });
  }

  async listFolders(prefix: string, options: CallOptions = {}): Promise<string[]> {
    const folders: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.#call(
        'list',
        prefix,
        options.signal,
        async (sending) =>
          await this.#client.send(
            new ListObjectsV2Command({
              Bucket: this.bucket,
              Prefix: this.#prefix + prefix,
              Delimiter: '/',
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
            sending,
          ),
      );
      folders.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!.slice(this.#prefix.length + prefix.length)));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return folders;
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    await this.#call('delete', key, options.signal, async (sending) => {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: this.#prefix + key }), sending);
    });
  }

  /** The message of a refusal starts with the store's error name and the bucket, because S3 does not name the bucket. */
  #errorOf(error: unknown, what: string, key: string): LakeError {
    const lakeError = awsErrorToLakeError(error, `S3 ${what}`, key);
    if (!(error instanceof Error) || remedyOfLakeError(lakeError) === undefined) return lakeError;
    return new LakeError(lakeError.code, `S3: ${error.name}: ${this.bucket}: ${error.message} (${what})`, { key, cause: error });
  }

  async #call<T>(
    call: StoreCall,
    key: string,
    signal: AbortSignal | undefined,
    run: (sending: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    return await this.#guard(
      call,
      async (guarded) => {
        try {
          return await run(guarded === undefined ? {} : { abortSignal: guarded });
        } catch (error) {
          guarded?.throwIfAborted();
          throw this.#errorOf(error, `${call} of ${key}`, key);
        }
      },
      signal,
    );
  }
}

/**
 * Opens a file for reading. A missing file fails here instead of in an event that ends the process. After a later read error the request
 * ends by its length or its timeout.
 */
async function streamOf(path: string): Promise<ReadStream> {
  const stream = (await open(path)).createReadStream();
  stream.on('error', () => undefined);
  return stream;
}
