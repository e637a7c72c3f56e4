import type { EngineName, QueryRequest, ReportList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';

type Report = ReportList['reports'][number];
type Parameter = Report['parameters'][number];

export interface ReportsPanelProps {
  readonly engine: EngineName | undefined;
  readonly isBusy: boolean;
  readonly onRun: (request: QueryRequest) => void;
  readonly onOpen: (sql: string) => void;
}

/** The reports, each with a field for each of its parameters. */
export function ReportsPanel({ engine, isBusy, onRun, onOpen }: ReportsPanelProps): JSX.Element {
  const { data, error } = usePolled(async (signal) => await sendForJson<ReportList>('/v1/reports', { signal }), undefined);
  const [chosen, setChosen] = useState<string>();
  if (error !== undefined) return <ProblemNote error={error} />;
  if (data === undefined) return <p role="status">Loading the reports…</p>;
  const report = data.reports.find(({ name }) => name === chosen);
  if (report !== undefined)
    return (
      <ReportForm
        key={report.name}
        report={report}
        isBusy={isBusy}
        onRun={(parameters) => onRun({ report: report.name, parameters, ...(engine === undefined ? {} : { engine }) })}
        onOpen={() => onOpen(report.sql)}
        onBack={() => setChosen(undefined)}
      />
    );
  return (
    <ul class="list">
      {data.reports.map(({ name, description }) => (
        <li key={name}>
          <button type="button" class="plain" onClick={() => setChosen(name)}>
            <strong>{name}</strong>
            <span class="muted small">{description}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface ReportFormProps {
  readonly report: Report;
  readonly isBusy: boolean;
  readonly onRun: (parameters: Record<string, string | number>) => void;
  readonly onOpen: () => void;
  readonly onBack: () => void;
}

function ReportForm({ report, isBusy, onRun, onOpen, onBack }: ReportFormProps): JSX.Element {
  const { parameters } = report;
  const [texts, setTexts] = useState(() => Object.fromEntries(parameters.map((one) => [one.name, String(one.default ?? '')])));
  const submit = (event: Event): void => {
    event.preventDefault();
    const given = parameters.filter(({ name }) => texts[name] !== '');
    onRun(Object.fromEntries(given.map(({ name, type }) => [name, type === 'integer' ? Number(texts[name]) : texts[name]!])));
  };
  return (
    <form class="screen" onSubmit={submit}>
      <div>
        <button type="button" class="plain" onClick={onBack}>
          ← All reports
        </button>
      </div>
      <h2>{report.name}</h2>
      <p class="muted small">{report.description}</p>
      {parameters.map((parameter) => (
        <div key={parameter.name} class="field">
          <label for={`report-${parameter.name}`}>
            {parameter.name}: {parameter.description}
          </label>
          <ParameterInput
            parameter={parameter}
            text={texts[parameter.name] ?? ''}
            onText={(text) => setTexts((before) => ({ ...before, [parameter.name]: text }))}
          />
        </div>
      ))}
      <div class="row">
        <button type="submit" class="primary" disabled={isBusy}>
          Run the report
        </button>
        <button type="button" onClick={onOpen}>
          Open its SQL
        </button>
      </div>
    </form>
  );
}

function ParameterInput({
  parameter: { name, type, minimum, maximum, charactersMax, default: initial },
  text,
  onText,
}: {
  readonly parameter: Parameter;
  readonly text: string;
  readonly onText: (text: string) => void;
}): JSX.Element {
  const common = {
    id: `report-${name}`,
    required: initial === undefined,
    value: text,
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => onText(currentTarget.value),
  };
  if (type === 'integer') return <input {...common} type="number" min={minimum} max={maximum} />;
  if (type === 'date') return <input {...common} placeholder="YYYY-MM-DD" pattern={String.raw`\d{4}-\d{2}-\d{2}`} />;
  return <input {...common} maxLength={charactersMax} />;
}
