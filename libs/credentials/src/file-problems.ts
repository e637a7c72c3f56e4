import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** Lists the problems of the files that settings name, one sentence each. Reads the files. */
export function fileProblems<N extends string>(
  settings: Readonly<Partial<Record<N, unknown>>>,
  { ca, cert, key, secrets = [] }: { readonly ca: N; readonly cert: N; readonly key: N; readonly secrets?: readonly N[] },
): string[] {
  const contents = new Map<N, string>();
  const problems = [
    ...missingHalf(settings, cert, key),
    ...[ca, cert, key, ...secrets].flatMap((name) => {
      const path = settings[name];
      return typeof path === 'string' ? readProblems(name, path, contents) : [];
    }),
  ];
  return problems.length > 0 ? problems : pemProblems(contents, ca, cert, key);
}

function missingHalf<N extends string>(settings: Readonly<Partial<Record<N, unknown>>>, cert: N, key: N): string[] {
  if ((settings[cert] === undefined) === (settings[key] === undefined)) return [];
  const [missing, given] = settings[key] === undefined ? [key, cert] : [cert, key];
  return [`${missing} is missing: ${given} is of no use without it.`];
}

function readProblems<N extends string>(name: N, path: string, contents: Map<N, string>): string[] {
  try {
    const content = readFileSync(path, 'utf8');
    contents.set(name, content);
    return content.trim() === '' ? [`${name} names an empty file.`] : [];
  } catch (error) {
    return [`${name} names a file that cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`];
  }
}

function pemProblems<N extends string>(contents: ReadonlyMap<N, string>, ca: N, cert: N, key: N): string[] {
  const labels = [
    [ca, 'CERTIFICATE'],
    [cert, 'CERTIFICATE'],
    [key, 'PRIVATE KEY'],
  ] as const;
  const notPem = labels.filter(([name, label]) => contents.get(name)?.includes(`${label}-----`) === false);
  if (notPem.length > 0) return notPem.map(([name, label]) => `${name} holds no PEM block of the kind ${label}.`);
  const [certText, keyText] = [contents.get(cert), contents.get(key)];
  if (certText === undefined || keyText === undefined) return [];
  try {
    createSecureContext({ cert: certText, key: keyText });
    return [];
  } catch {
    return [`${key} is not the key of the certificate in ${cert}, or one of them is damaged.`];
  }
}
