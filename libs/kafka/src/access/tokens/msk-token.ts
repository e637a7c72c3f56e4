import type { IssuedToken } from './renewed-token.ts';

/**
 * Name of the session of an assumed role. Re-authentication fails when the principal changes, and the SDK's default contains the time.
 */
const sessionNameDefault = 'millrace';

/** Returns a function that signs a token for MSK IAM with the credentials that the AWS SDK finds. */
export function mskToken(region: string): () => Promise<IssuedToken> {
  let sign: Promise<() => Promise<IssuedToken>> | undefined;
  return async () => await (await (sign ??= signerOf(region)))();
}

async function signerOf(region: string): Promise<() => Promise<IssuedToken>> {
  // Loaded on demand: half of the SDK comes with them, and only clusters of MSK need it.
  const [{ fromNodeProviderChain }, { generateAuthTokenFromCredentialsProvider }] = await Promise.all([
    import('@aws-sdk/credential-providers'),
    import('aws-msk-iam-sasl-signer-js'),
  ]);
  const awsCredentialsProvider = fromNodeProviderChain({
    clientConfig: { region },
    // A web identity reads the name from the environment; the SDK takes its own default only if nothing is given.
    roleSessionName: process.env['AWS_ROLE_SESSION_NAME'] ?? sessionNameDefault,
  });
  return async () => {
    const { token, expiryTime } = await generateAuthTokenFromCredentialsProvider({ region, awsCredentialsProvider });
    return { value: token, expiresMs: expiryTime };
  };
}
