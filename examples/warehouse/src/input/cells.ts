/** What a cell holds, or why it cannot be used. */
export type Cell<T> = { readonly value: T } | { readonly reason: string };

const maxTextLength = 200;
const maxIdLength = 60;
/** Above this an amount is a slip of the keyboard, and cents no longer fit the tables' integers. */
const maxAmountCents = 1_000_000_00;
const maxQuantity = 1_000;

/** Text that people read, 1 to 200 characters. */
export function readText(cell: string | undefined): Cell<string> {
  if (cell === undefined || cell === '') return { reason: 'is empty' };
  if (cell.length > maxTextLength) return { reason: `is longer than ${maxTextLength} characters` };
  if (cell.includes('\uFFFD')) return { reason: 'is not UTF-8; save the file as UTF-8' };
  if (/[\p{Cc}\p{Cs}]/u.test(cell)) return { reason: 'has a line break or a control character' };
  return { value: cell };
}

/** A reference such as a lot number, 1 to 60 characters; `/` and `%` count for three, as they do in ids. */
export function readId(cell: string | undefined): Cell<string> {
  const text = readText(cell);
  if ('value' in text && text.value.replaceAll(/[/%]/g, '%XX').length > maxIdLength) {
    return { reason: `is longer than ${maxIdLength} characters` };
  }
  return text;
}

/** Money such as `1,299.99` or `$5`, in cents. */
export function readCents(cell: string | undefined): Cell<number> {
  const match = /^\$? ?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?$/.exec(cell ?? '');
  if (!match) return { reason: `must be an amount such as 1,299.99, got ${quote(cell)}` };
  const [, whole = '', cents = ''] = match;
  const value = Number(whole.replaceAll(',', '')) * 100 + Number(cents.padEnd(2, '0'));
  if (value > maxAmountCents)
    return { reason: `must not be above 1,000,000.00, got ${quote(cell)}` };
  return { value };
}

/** How many units a line stands for, 1 to 1,000. */
export function readQuantity(cell: string | undefined): Cell<number> {
  const value = /^\d{1,4}(\.0+)?$/.test(cell ?? '') ? Number(cell) : 0;
  if (value >= 1 && value <= maxQuantity) return { value };
  return { reason: `must be a whole number from 1 to 1,000, got ${quote(cell)}` };
}

/** A moment such as `2026-02-03 14:05`, in ISO 8601; UTC where the cell names no zone. */
export function readMoment(cell: string | undefined): Cell<string> {
  const form =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;
  const [, day, time = '00:00', zone = 'Z'] = form.exec(cell ?? '') ?? [];
  const moment = new Date(`${day}T${time}${zone}`);
  if (Number.isNaN(moment.getTime()) || !isRealDay(day)) {
    return { reason: `must be a date or a time such as 2026-02-03T14:05:00Z, got ${quote(cell)}` };
  }
  return { value: moment.toISOString() };
}

/** `Date` takes 31 February for 3 March. */
function isRealDay(day = ''): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

function quote(cell = ''): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);
}
