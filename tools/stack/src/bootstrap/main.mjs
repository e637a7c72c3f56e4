// Runs on the machine's own Node before any installation, so its imports are plain JavaScript without packages. An old Node must be able
// to parse this file, because the file rejects it.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`millrace: Node.js ${process.versions.node} is too old; install version 20.19 or newer (https://nodejs.org).\n`);
  process.exit(1);
}
const { bootstrap } = await import('./bootstrap.mjs');
await bootstrap(process.argv.slice(2));
