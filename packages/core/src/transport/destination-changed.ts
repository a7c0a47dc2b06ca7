import { EventError } from '../errors.ts';
import { maxTextLength, oneLine } from '../text.ts';

/** The error for a server that is not the one that was expected. */
export function destinationChanged(
  destination: string,
  expected: string,
  found: string | null,
): EventError<'DESTINATION_CHANGED'> {
  const what =
    found === null
      ? 'bears no mark any more'
      : `is another server than before (its mark is ${oneLine(found)}, expected is ${oneLine(expected)}); give one of the two buses a destination of its own, or accept the new server: UPDATE event_destination SET marker = ${literal(found)} WHERE destination = ${literal(destination)}`;
  return new EventError('DESTINATION_CHANGED', `${destination} ${what}`, {
    destination,
    expected,
    found,
  });
}

/** A literal of SQL that is the whole text, on one line; its escapes are those of JSON. */
function literal(text: string): string {
  const line = oneLine(text, maxTextLength).replaceAll("'", "''");
  return line.includes('\\') ? `E'${line}'` : `'${line}'`;
}
