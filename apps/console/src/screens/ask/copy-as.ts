import { requestOfTab } from './request-of-tab.ts';
import type { Tab } from './tabs.ts';

/** Where a copied program sends its request. */
export interface CopyTarget {
  readonly origin: string;
  readonly isAuthOn: boolean;
}

/** The languages in which the request of a tab can be copied. A credential is a variable of the environment, never its value. */
export const copyLanguages = [
  { label: 'curl', textOf: curlOf },
  { label: 'TypeScript', textOf: typeScriptOf },
  { label: 'Python', textOf: pythonOf },
] as const;

/** The command that sends the request of a tab. */
export function curlOf(tab: Tab, { origin, isAuthOn }: CopyTarget): string {
  const auth = isAuthOn ? ` -H "authorization: Bearer $MILLRACE_TOKEN"` : '';
  const body = JSON.stringify(requestOfTab(tab)).replaceAll("'", String.raw`'\''`);
  return `curl -s -X POST ${origin}/v1/queries -H 'content-type: application/json' -H 'prefer: wait=30'${auth} \\\n  -d '${body}'`;
}

/** The program that runs the request of a tab with the client of this repository, and prints its rows. */
export function typeScriptOf(tab: Tab, { origin, isAuthOn }: CopyTarget): string {
  const token = isAuthOn ? ', token: process.env.MILLRACE_TOKEN' : '';
  return [
    "import { QueryClient } from '@millrace/client';",
    '',
    `const queries = new QueryClient({ url: ${JSON.stringify(origin)}${token} });`,
    `const query = await queries.run(${JSON.stringify(requestOfTab(tab), null, 2)});`,
    'for await (const row of queries.rows(query.id)) console.log(row);',
    '',
  ].join('\n');
}

/** The program that sends the request of a tab with the standard library of Python, and prints its first page. */
export function pythonOf(tab: Tab, { origin, isAuthOn }: CopyTarget): string {
  // A JSON text is a literal of Python as well; its values true and null are not, so the body stays a text.
  const body = JSON.stringify(JSON.stringify(requestOfTab(tab)));
  return [
    'import json',
    ...(isAuthOn ? ['import os'] : []),
    'import urllib.request',
    '',
    'request = urllib.request.Request(',
    `    ${JSON.stringify(`${origin}/v1/queries`)},`,
    `    data=${body}.encode(),`,
    '    headers={',
    '        "content-type": "application/json",',
    '        "prefer": "wait=30",',
    ...(isAuthOn ? ['        "authorization": "Bearer " + os.environ["MILLRACE_TOKEN"],'] : []),
    '    },',
    ')',
    'with urllib.request.urlopen(request) as answer:',
    '    query = json.load(answer)',
    'for row in query["results"]["rows"]:',
    '    print(row)',
    '',
  ].join('\n');
}
