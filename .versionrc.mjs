import { globSync, readFileSync } from 'node:fs';

// `npm run release`: the commits since the last tag give the next version and its part of CHANGELOG.md. CONTRIBUTING.md has the steps.

const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8'));

// Every package has the version of the release and depends on exactly that version of the others.
const versions = /("version"|"@millrace\/[^"]+"): "[^"]+"/g;

const manifest = {
  readVersion: (text) => JSON.parse(text).version,
  writeVersion: (text, version) => text.replace(versions, `$1: "${version}"`),
};

const lock = {
  readVersion: manifest.readVersion,
  writeVersion(text, version) {
    const { packages, ...rest } = JSON.parse(text);
    const released = Object.entries(packages).map(([path, entry]) =>
      path.includes('node_modules/') ? [path, entry] : [path, JSON.parse(manifest.writeVersion(JSON.stringify(entry, null, 2), version))],
    );
    return `${JSON.stringify({ ...rest, version, packages: Object.fromEntries(released) }, null, 2)}\n`;
  },
};

/** A file that is not JSON. @param {RegExp} pattern has the text before the version as its first group */
const lines = (pattern) => ({
  readVersion: (text) => new RegExp(pattern.source, 'm').exec(text)[2],
  writeVersion: (text, version) => text.replaceAll(pattern, `$1${version}`),
});

export default {
  packageFiles: [{ filename: 'package.json', updater: manifest }],
  bumpFiles: [
    ...globSync(['package.json', ...workspaces.map((pattern) => `${pattern}/package.json`)]).map((filename) => ({
      filename,
      updater: manifest,
    })),
    { filename: 'package-lock.json', updater: lock },
    { filename: 'deploy/helm/millrace/Chart.yaml', updater: lines(/^(version: |appVersion: )(.+)$/gm) },
    { filename: 'docker/Dockerfile', updater: lines(/^(ARG VERSION=)(.+)$/gm) },
  ],
  header: '# Changelog\n',
  // The default adds a link between two versions, which needs the address of the repository.
  writerOpts: { finalizeContext: (context) => context },
  types: [
    { type: 'feat', section: 'Features' },
    { type: 'fix', section: 'Fixes' },
    { type: 'perf', section: 'Performance' },
  ],
  releaseCommitMessageFormat: 'chore(release): {{currentTag}}',
  // The schemas of this release become the base of the next comparison.
  scripts: { postbump: 'cp docs/schemas/*.json docs/schemas/published/ && git add docs/schemas/published' },
  commitAll: true,
};
