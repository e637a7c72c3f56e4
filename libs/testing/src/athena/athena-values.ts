/** A type of Trino as its protocol describes it. */
export interface TrinoType {
  readonly rawType: string;
  readonly arguments?: readonly { readonly kind: string; readonly value: unknown }[];
}

/** A value of Trino's protocol. Integers beyond 2^53 are text. */
export type TrinoValue = string | number | boolean | null | readonly TrinoValue[] | { readonly [key: string]: TrinoValue };

/** A column as Athena describes it. */
export interface AthenaColumn {
  readonly Name: string;
  readonly Type: string;
  readonly Precision: number;
  readonly Scale: number;
}

/** Describes a column of Trino as Athena does: a nested type has no parts, and REAL is called float. */
export function athenaColumn(name: string, { rawType, arguments: parameters = [] }: TrinoType): AthenaColumn {
  const [precision, scale] = parameters.map(({ value }) => value);
  return {
    Name: name,
    Type: rawType === 'real' ? 'float' : rawType === 'unknown' ? 'varchar' : rawType,
    Precision: rawType === 'decimal' ? Number(precision) : 0,
    Scale: rawType === 'decimal' ? Number(scale) : 0,
  };
}

/** Writes a value as Athena does: everything is text, nested values in Java's form. NULL is undefined. */
export function athenaText(value: TrinoValue, type: TrinoType): string | undefined {
  return value === null ? undefined : textOf(value, type);
}

function textOf(value: TrinoValue, { rawType, arguments: parameters = [] }: TrinoType): string {
  if (value === null) return 'null';
  const partOf = (index: number): TrinoType => {
    const part = parameters[index]?.value as TrinoType | { readonly typeSignature: TrinoType };
    return 'typeSignature' in part ? part.typeSignature : part;
  };
  switch (rawType) {
    case 'varbinary':
      return (
        Buffer.from(value as string, 'base64')
          .toString('hex')
          .match(/../g)
          ?.join(' ') ?? ''
      );
    case 'array':
      return `[${(value as readonly TrinoValue[]).map((one) => textOf(one, partOf(0))).join(', ')}]`;
    case 'map':
      return `{${Object.entries(value as { readonly [key: string]: TrinoValue })
        .map(([key, one]) => `${key}=${textOf(one, partOf(1))}`)
        .join(', ')}}`;
    case 'row':
      return `{${(value as readonly TrinoValue[]).map((one, index) => `${fieldName(parameters[index]?.value, index)}=${textOf(one, partOf(index))}`).join(', ')}}`;
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}

function fieldName(field: unknown, index: number): string {
  return (field as { readonly fieldName?: { readonly name: string } } | undefined)?.fieldName?.name ?? `field${index}`;
}
