import type { RedriveRequest, RejectList, StreamDetails } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { rangeOf, TimeRange, timeRanges, type TimeRangeName } from '../../parts/time-range.tsx';
import { countText } from '../../parts/units.ts';
import { useUrlState } from '../../parts/use-url-state.ts';
import { RedriveDialog } from './redrive-dialog.tsx';
import { RejectDialog } from './reject-dialog.tsx';
import { RejectReasons } from './reject-reasons.tsx';
import { keyOf, RejectTable } from './reject-table.tsx';

type Listed = RejectList['rejects'][number];

const everyMs = 10_000;
const pageRejects = 100;
const standardRange: TimeRangeName = '7d';
const nothing: ReadonlySet<string> = new Set();

/** `/console/rejects`: records that broke the contract, and their redrive. */
export function RejectsScreen(): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const [rangeName, setRange] = useUrlState('range', standardRange);
  const [reason, setReason] = useUrlState('reason', '');
  const [stream, setStream] = useUrlState('stream', '');
  const [older, setOlder] = useState<readonly RejectList[]>([]);
  const [chosen, setChosen] = useState(nothing);
  const [shown, setShown] = useState<Listed>();
  const [planned, setPlanned] = useState<RedriveRequest['rejects']>();
  const streams = usePolled(async (signal) => (await sendForJson<StreamDetails>('/v1/streams', { signal })).streams, undefined);
  const range = rangeOf(rangeName, standardRange);
  const query = (cursor?: string): string => {
    const { ms } = timeRanges[range];
    return new URLSearchParams({
      limit: String(pageRejects),
      ...(ms === undefined ? {} : { from: new Date(Date.now() - ms).toISOString() }),
      ...(reason === '' ? {} : { reason }),
      ...(stream === '' ? {} : { stream }),
      ...(cursor === undefined ? {} : { cursor }),
    }).toString();
  };
  const { data, error, refresh } = usePolled(
    async (signal) => await sendForJson<RejectList>(`/v1/rejects?${query()}`, { signal }),
    isPaused ? undefined : everyMs,
    `${range} ${reason} ${stream}`,
  );
  const [olderFailure, setOlderFailure] = useState<unknown>();
  const startAnew = (): void => {
    setOlder([]);
    setChosen(nothing);
  };
  const pages = data === undefined ? [] : [data, ...older];
  // A page that was loaded once may overlap with the first one, which is read again and again.
  const rejects = [...new Map(pages.flatMap((page) => page.rejects).map((one) => [keyOf(one), one])).values()];
  const next = pages.at(-1)?.next;
  const loadOlder = async (): Promise<void> => {
    setOlderFailure(undefined);
    try {
      const page = await sendForJson<RejectList>(`/v1/rejects?${query(next)}`);
      setOlder((before) => [...before, page]);
    } catch (failure) {
      setOlderFailure(failure);
    }
  };
  const selected = rejects.filter((one) => chosen.has(keyOf(one)));
  return (
    <div class="screen">
      <LiveHeading title="Rejects" isPaused={isPaused} onPause={setPaused} everyMs={everyMs} isLost={error !== undefined}>
        {streams.data === undefined || streams.data.length < 2 ? null : (
          <label class="row small">
            Stream
            <select
              value={stream === '' ? streams.data[0]?.name : stream}
              onChange={({ currentTarget }) => {
                startAnew();
                setStream(currentTarget.value);
              }}
            >
              {streams.data.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <TimeRange
          value={range}
          onChange={(name) => {
            startAnew();
            setRange(name);
          }}
        />
      </LiveHeading>
      <p class="muted">
        Records that broke the contract. They are not rows of the table; the sink keeps them with their reason and their bytes.
      </p>
      <ProblemNote error={error} />
      {data === undefined && error === undefined ? <p role="status">Reading the reject files…</p> : null}
      {data?.canRedrive === false ? (
        <p class="note warn">
          Nothing can be redriven here: the query API has no connection to Kafka. Set KAFKA_BROKERS, or use ./millrace rejects redrive.
        </p>
      ) : null}
      {data === undefined ? null : data.reasons.length === 0 ? (
        <Empty list={data} range={range} onAll={() => setRange('all')} />
      ) : (
        <>
          <RejectReasons
            list={data}
            chosen={reason}
            onChoose={(text) => {
              startAnew();
              setReason(text);
            }}
          />
          <section class="card" aria-label="Records">
            <div class="row">
              <h2>{reason === '' ? 'The newest ones' : 'With this reason'}</h2>
              {reason === '' ? null : (
                <button
                  type="button"
                  onClick={() => {
                    startAnew();
                    setReason('');
                  }}
                >
                  Show every reason
                </button>
              )}
              <button type="button" onClick={() => setChosen(chosen.size > 0 ? nothing : new Set(rejects.map(keyOf)))}>
                {chosen.size > 0 ? 'Choose none' : `Choose all ${countText(rejects.length)}`}
              </button>
              <button
                type="button"
                class="primary"
                disabled={selected.length === 0 || !data.canRedrive}
                onClick={() => setPlanned(selected.map(({ partition, offset }) => ({ partition, offset })))}
              >
                Plan the redrive of {countText(selected.length)}
              </button>
            </div>
            <RejectTable rejects={rejects} chosen={chosen} onChoose={setChosen} onShow={setShown} />
            <ProblemNote error={olderFailure} />
            {next === undefined ? null : (
              <button type="button" onClick={() => void loadOlder()}>
                Show older ones
              </button>
            )}
          </section>
        </>
      )}
      {shown === undefined || data === undefined ? null : (
        <RejectDialog
          stream={data.stream}
          partition={shown.partition}
          offset={shown.offset}
          onClose={() => setShown(undefined)}
          onCorrected={(correction) => {
            setShown(undefined);
            setPlanned([correction]);
          }}
        />
      )}
      {planned === undefined || data === undefined ? null : (
        <RedriveDialog
          stream={data.stream}
          rejects={planned}
          onClose={() => setPlanned(undefined)}
          onApplied={() => {
            setChosen(nothing);
            refresh();
          }}
        />
      )}
    </div>
  );
}

function Empty({
  list: { filesTotal },
  range,
  onAll,
}: {
  readonly list: RejectList;
  readonly range: TimeRangeName;
  readonly onAll: () => void;
}): JSX.Element {
  if (filesTotal === 0) return <p class="note good">No record has broken the contract yet.</p>;
  return (
    <div class="note good row">
      <p>No record of this time broke the contract.</p>
      {range === 'all' ? null : (
        <button type="button" onClick={onAll}>
          Show all time
        </button>
      )}
    </div>
  );
}
