import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import blocks from 'virtual:runbook';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import type { Block, Inline } from '../../runbook/markdown-blocks.ts';

/** `/console/runbook`: docs/operations.md, at the section of the address. */
export function RunbookScreen(): JSX.Element {
  useEffect(() => {
    const section = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    section?.scrollIntoView();
    section?.focus();
  }, []);
  return (
    <article class="prose">
      {blocks.map((block, n) => (
        <BlockView key={n} block={block} />
      ))}
    </article>
  );
}

function BlockView({ block }: { readonly block: Block }): JSX.Element {
  switch (block.kind) {
    case 'heading': {
      const { level, id, text } = block;
      const Heading = level === 1 ? 'h1' : level === 2 ? 'h2' : 'h3';
      return (
        <Heading id={id} tabIndex={-1}>
          {text}
        </Heading>
      );
    }
    case 'paragraph':
      return (
        <p id={block.id} tabIndex={block.id === undefined ? undefined : -1}>
          <Inlines inlines={block.inlines} />
        </p>
      );
    case 'list':
      return (
        <ul>
          {block.items.map((inlines, n) => (
            <li key={n}>
              <Inlines inlines={inlines} />
            </li>
          ))}
        </ul>
      );
    case 'code':
      return (
        <pre class="example" tabIndex={0}>
          {block.text}
        </pre>
      );
    case 'table':
      return (
        <ScrollTable label="Table" columns={block.head.map((inlines) => ({ heading: inlines.map(({ text }) => text).join('') }))}>
          {block.rows.map((cells, n) => (
            <tr key={n}>
              {cells.map((inlines, column) => (
                <td key={column}>
                  <Inlines inlines={inlines} />
                </td>
              ))}
            </tr>
          ))}
        </ScrollTable>
      );
  }
}

function Inlines({ inlines }: { readonly inlines: readonly Inline[] }): JSX.Element {
  return (
    <>
      {inlines.map(({ text, as, href }, n) => {
        if (as === 'strong') return <strong key={n}>{text}</strong>;
        if (as === 'em') return <em key={n}>{text}</em>;
        if (as === 'code') return <code key={n}>{text}</code>;
        if (href?.startsWith('#') === true)
          return (
            <a key={n} href={href}>
              {text}
            </a>
          );
        // The other documents are in the repository only.
        return href === undefined ? text : <span key={n} title={`docs/${href}`}>{`${text} (docs/${href.replace(/#.*/, '')})`}</span>;
      })}
    </>
  );
}
