/**
 * @typedef {object} Requirement Something that a person installs before Millrace.
 * @property {string} name with the oldest version that will do
 * @property {string} debian packages of Debian and Ubuntu
 * @property {string} fedora packages of Fedora
 * @property {string} macos formulae of Homebrew
 */

/** Everything that Millrace needs of a machine, except disk and memory. README shows the same list, and a test compares the two. */
export const requirements = /** @type {const} */ ({
  node: { name: 'Node.js 20.19', debian: 'nodejs', fedora: 'nodejs', macos: 'node' },
  npm: { name: 'npm', debian: 'npm', fedora: 'nodejs-npm', macos: 'node' },
  java: { name: 'Java 17', debian: 'default-jre-headless', fedora: 'java-latest-openjdk-headless', macos: 'temurin' },
  maven: { name: 'Maven 3.6', debian: 'maven', fedora: 'maven', macos: 'maven' },
  python: { name: 'Python 3.10', debian: 'python3', fedora: 'python3', macos: 'python' },
  venv: { name: "Python's venv module", debian: 'python3-venv', fedora: 'python3', macos: 'python' },
});

/** @typedef {keyof typeof requirements} RequirementName */

/** Free room that the check asks for, in bytes. */
export const room = {
  /** Disk for npm packages (0.6 GB), Kafka, Redis and the emulator (0.3 GB), and the first data. */
  diskBeforeInstallation: 2e9,
  /** Disk for data. */
  disk: 0.5e9,
  /** Memory of three parts and four services. */
  memory: 1.5e9,
};

/** Names of the systems with their command that installs packages. */
const systems = /** @type {const} */ ([
  ['debian', 'Debian, Ubuntu', 'sudo apt-get install'],
  ['fedora', 'Fedora', 'sudo dnf install'],
  ['macos', 'macOS', 'brew install'],
]);

/**
 * The commands that install the missing tools, one line for each system.
 *
 * @param {readonly RequirementName[]} missing
 */
export function installCommands(missing) {
  return systems.map(([system, title, command]) => {
    const packages = [...new Set(missing.map((name) => requirements[name][system]))];
    return { title, command: `${command} ${packages.join(' ')}` };
  });
}
