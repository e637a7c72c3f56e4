import type { JSX } from 'preact';
import { bytesText, countText, usdText } from '../../parts/units.ts';
import type { EstimateState } from './use-estimate.ts';

/** Bytes and price of the statement before it runs. */
export function EstimateNote({ estimate, error }: EstimateState): JSX.Element {
  if (error !== undefined) return <span class="badge warn">This statement would be refused</span>;
  if (estimate === undefined) return <span class="muted small">The estimate appears here</span>;
  const { bytesScanned, isSampled, usd, tables } = estimate;
  const files = tables.reduce((sum, table) => sum + table.files, 0);
  return (
    <span class="small" title={`${countText(bytesScanned)} bytes at most, in ${countText(files)} files`}>
      Reads {isSampled ? 'about ' : 'at most '}
      <strong>{bytesText(bytesScanned)}</strong>
      {usd === undefined ? ' at no charge' : ` for ${usdText(usd)}`}
    </span>
  );
}
