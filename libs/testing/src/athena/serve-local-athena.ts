import { LocalAthena } from './local-athena.ts';

// The local Athena as a process of the stack, for development.

const { TRINO_URL: trinoUrl, ATHENA_PORT: port } = process.env;
if (trinoUrl === undefined || port === undefined) throw new Error('TRINO_URL and ATHENA_PORT must be set.');
const athena = await LocalAthena.start({ trinoUrl, port: Number(port) });
console.log(`The local Athena listens at ${athena.url} and runs its statements on ${trinoUrl}.`);
process.once('SIGTERM', () => void athena.close().then(() => process.exit(0)));
