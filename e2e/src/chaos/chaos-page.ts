import type { Experiment } from './experiment/experiment-schema.ts';
import type { JournalRecord } from './journal.ts';

/** Part of the record of an experiment that the page shows. */
export type KeptResult = Pick<
  JournalRecord,
  'file' | 'at' | 'conditions' | 'verdict' | 'reason' | 'attacks' | 'judged' | 'circuits' | 'delivery'
>;

/** The part of a record that is kept: all but the counts of each second. */
export function keptResultOf({ file, at, conditions, verdict, reason, attacks, judged, circuits, delivery }: JournalRecord): KeptResult {
  return { file, at, conditions, verdict, reason, attacks, judged, circuits, delivery };
}

/** An experiment of the catalogue with its last kept result. */
export interface CataloguedExperiment {
  readonly file: string;
  readonly experiment: Experiment;
  readonly result: KeptResult | undefined;
}

/** The page of the catalogue in Markdown. */
export function chaosPage(catalogue: readonly CataloguedExperiment[], intro: string): string {
  return [
    intro.trimEnd(),
    '',
    '## The experiments',
    '',
    '| experiment | attacks | expected | last verdict |',
    '| --- | --- | --- | --- |',
    ...catalogue.map(({ experiment: { title, method, expected }, result }) => {
      const attacks = method.map(({ attack, target }) => `${attack} on ${target}`).join(', ');
      return `| [${title}](#${anchorOf(title)}) | ${attacks} | ${expected} | ${result?.verdict ?? 'not run'} |`;
    }),
    '',
    ...catalogue.flatMap(sectionOf),
  ].join('\n');
}

function sectionOf({ file, experiment, result }: CataloguedExperiment): string[] {
  const { title, description, hypothesis, method, load, phases } = experiment;
  return [
    `### ${title}`,
    '',
    description.trim(),
    '',
    `- **Hypothesis.** ${hypothesis.statement}`,
    `- **Method.** ${method.map(methodText).join('; ')}.`,
    `- **Load of each group.** ${Object.entries(load)
      .map(([stream, rate]) => `${rate} ${stream} requests a second`)
      .join(', ')}; ${phases.before} s before, ${phases.during} s during and ${phases.after} s after the attack.`,
    ...(result === undefined ? ['- **Result.** No result is kept in the repository.'] : resultLines(result)),
    `- **File.** \`chaos/${file}\``,
    '',
  ];
}

function resultLines({ at, verdict, reason, attacks, circuits, delivery }: KeptResult): string[] {
  const opened = new Set(
    circuits
      .filter(({ group, state }) => group === 'experiment' && state !== 'closed')
      .map(({ process, pipeline }) => `${pipeline} of ${process}`),
  );
  const delivered = Object.entries(delivery).map(
    ([group, { acknowledged, landed, lost, duplicated }]) =>
      `${group}: ${acknowledged} acknowledged, ${landed} in the table, ${lost} lost, ${duplicated} doubled`,
  );
  return [
    `- **Result of ${at.slice(0, 10)}.** ${verdict}: ${reason}.`,
    `- **Proof of the attack.** ${attacks.map(({ proof }) => proof).join('; ')}.`,
    ...(opened.size === 0 ? [] : [`- **Circuits that opened.** ${[...opened].toSorted().join(', ')}.`]),
    ...(delivered.length === 0 ? [] : [`- **Delivery.** ${delivered.join('. ')}.`]),
  ];
}

function methodText({ attack, target, seconds, arguments: given }: Experiment['method'][number]): string {
  return `\`${attack}\` on ${target} for ${seconds} s${argumentsText(given)}`;
}

function argumentsText(given: Experiment['method'][number]['arguments']): string {
  const texts = Object.entries(given ?? {}).map(([name, value]) => `${name} ${value}`);
  return texts.length === 0 ? '' : ` (${texts.join(', ')})`;
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
