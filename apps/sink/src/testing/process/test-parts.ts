/** The addresses of the parts for integration tests, as the test command passes them. */
export const testParts = {
  brokers: process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092',
  awsUrl: process.env['AWS_ENDPOINT_URL'] ?? 'http://127.0.0.1:4566',
  region: process.env['AWS_REGION'] ?? 'us-east-1',
  // The emulator asks for credentials and checks none.
  credentials: { accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? 'test', secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'test' },
};
