/** Why a TLS handshake failed for good. */
export type CertificateProblem =
  /** No trusted CA signed the certificate of the server. */
  | 'unknown-ca'
  /** The certificate of the server has expired or is not valid yet. */
  | 'expired-certificate'
  /** The certificate of the server is for another name. */
  | 'server-name'
  /** The server refused the client's certificate or its handshake. */
  | 'client-certificate';

// OpenSSL's reasons, as Node names them: https://nodejs.org/api/tls.html#x509-certificate-error-codes
const problems: ReadonlyMap<string, CertificateProblem> = new Map([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'unknown-ca'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unknown-ca'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'unknown-ca'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unknown-ca'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unknown-ca'],
  ['CERT_HAS_EXPIRED', 'expired-certificate'],
  ['CERT_NOT_YET_VALID', 'expired-certificate'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'server-name'],
]);

/** Maps the code of an error of Node to the problem with a certificate; undefined for every other code. */
export function certificateProblemOf(code: unknown): CertificateProblem | undefined {
  if (typeof code !== 'string') return undefined;
  // An alert of the server, for example ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED.
  return problems.get(code) ?? (/^ERR_SSL_.*ALERT_/.test(code) ? 'client-certificate' : undefined);
}
