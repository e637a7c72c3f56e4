import { readFile } from 'node:fs/promises';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server } from 'node:tls';
import { TestCa } from '@millrace/testing';

/** Kind of the certificate that a front presents. */
export type CertificateKind = 'valid' | 'expired';

/** A TLS server in front of a plain port. Its certificate can be swapped for one that has expired. */
export class TlsFront {
  /** Path of the certificate of the authority that clients trust. */
  readonly ca: string;
  readonly #server: Server;
  readonly #host: string;
  readonly #contexts: Readonly<Record<CertificateKind, SecureContextOptions>>;
  readonly #open = new Set<Socket>();
  #kind: CertificateKind = 'valid';
  #refused = 0;

  private constructor(
    { ca, host, port }: { readonly ca: string; readonly host: string; readonly port: number },
    contexts: Readonly<Record<CertificateKind, SecureContextOptions>>,
  ) {
    this.ca = ca;
    this.#host = host;
    this.#contexts = contexts;
    this.#server = createServer(contexts.valid, (secure) => {
      const plain = connect(port, '127.0.0.1');
      const presented = this.#kind;
      let bytes = 0;
      secure.on('data', (chunk: Buffer) => (bytes += chunk.length));
      for (const socket of [secure, plain]) {
        this.#open.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#open.delete(socket);
          secure.destroy();
          plain.destroy();
        });
      }
      // A client that does not accept the certificate ends the connection before its first request.
      secure.on('close', () => {
        if (presented === 'expired' && bytes === 0) this.#refused += 1;
      });
      secure.pipe(plain).pipe(secure);
    });
    this.#server.on('tlsClientError', () => {
      if (this.#kind === 'expired') this.#refused += 1;
    });
  }

  /**
   * @param folder directory for the certificates
   * @param host name in the certificates, which resolves to 127.0.0.1
   */
  static async start(folder: string, port: number, host: string): Promise<TlsFront> {
    const ca = await TestCa.create(folder, 'chaos-ca');
    const contextOf = async (name: string, days: number): Promise<SecureContextOptions> => {
      const { cert, key } = await ca.sign(name, days, host);
      return { cert: await readFile(cert), key: await readFile(key) };
    };
    const contexts = { valid: await contextOf('valid', 2), expired: await contextOf('expired', -1) };
    const front = new TlsFront({ ca: ca.cert, host, port }, contexts);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  get url(): string {
    return `https://${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that clients ended because of an expired certificate. */
  get refusedHandshakes(): number {
    return this.#refused;
  }

  /** Presents a certificate from now on, and drops every connection. */
  present(kind: CertificateKind): void {
    this.#kind = kind;
    this.#server.setSecureContext(this.#contexts[kind]);
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }
}
