import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of a certificate and its key, in PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of a test. Uses the program `openssl`. */
export class TestCa {
  readonly #folder: string;
  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  static async create(folder: string, name: string): Promise<TestCa> {
    const ca = new TestCa(folder, name);
    const { key, cert } = ca.#files(name);
    await ca.#openssl('req', '-x509', ...ecKey, '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`);
    return ca;
  }

  /** Path of the authority's certificate. */
  get cert(): string {
    return this.#files(this.#name).cert;
  }

  /**
   * Signs a certificate for a host, `localhost` by default, and 127.0.0.1.
   *
   * @param name its common name, and the name of its files
   * @param days time until it expires; a negative number for one that has expired
   */
  async sign(name: string, days = 2, host = 'localhost'): Promise<CertificateFiles> {
    const { key, cert } = this.#files(name);
    const request = join(this.#folder, `${name}.csr`);
    const names = join(this.#folder, `${name}.ext`);
    await writeFile(names, `subjectAltName=DNS:${host},IP:127.0.0.1\n`);
    await this.#openssl('req', ...ecKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    const own = this.#files(this.#name);
    const signing = ['-in', request, '-CA', own.cert, '-CAkey', own.key, '-CAcreateserial', '-extfile', names];
    await this.#openssl('x509', '-req', ...signing, '-days', String(days), '-out', cert);
    return { cert, key };
  }

  #files(name: string): CertificateFiles {
    return { cert: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}.key`) };
  }

  async #openssl(...args: readonly string[]): Promise<void> {
    await run('openssl', args);
  }
}

const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
