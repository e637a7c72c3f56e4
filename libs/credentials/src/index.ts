export { certificateProblemOf, type CertificateProblem } from './certificate-errors.ts';
export { fileProblems } from './file-problems.ts';
export { secretOf, type Secret } from './secret.ts';
export { tlsOf, type TlsFiles, type TlsOptions } from './tls-options.ts';
