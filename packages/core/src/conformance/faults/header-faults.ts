import type { Header, Message } from '../../event/message.ts';

/** Ways in which whatever carries a message can change its headers. */
export const headerFaults: readonly {
  readonly name: string;
  readonly change: (message: Message) => Message;
}[] = [
  overHeaders('writes names of headers in lower case', (headers) =>
    headers.map(([name, value]) => [name.toLowerCase(), value]),
  ),
  overHeaders('keeps one header of each name', (headers) => [...new Map(headers)]),
  overHeaders('sorts headers by name', (headers) =>
    headers.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  ),
  overHeaders('turns bytes in headers into text', (headers) =>
    headers.map(([name, value]) => [name, Buffer.from(value).toString('utf8')]),
  ),
  overHeaders('turns text in headers into bytes', (headers) =>
    headers.map(([name, value]) => [name, Buffer.from(value)]),
  ),
  overHeaders('cuts what stands behind a NUL in a header', (headers) =>
    headers.map(([name, value]) => [
      name,
      typeof value === 'string' ? value.split('\0', 1)[0]! : value,
    ]),
  ),
  overHeaders('drops headers without a value', (headers) =>
    headers.filter(([, value]) => value.length > 0),
  ),
];

/** Headers that a message has lost are no headers at all. */
export function withoutHeaders({ headers: _headers, ...message }: Message): Message {
  return message;
}

/** The same dead letter of another message. */
export function withMessage<Letter extends { readonly message: Message }>(
  letter: Letter,
  message: Message,
): Letter {
  return { ...letter, message };
}

function overHeaders(
  name: string,
  change: (headers: readonly Header[]) => readonly Header[],
): { name: string; change: (message: Message) => Message } {
  return {
    name,
    change: (message) =>
      message.headers ? { ...message, headers: change(message.headers) } : message,
  };
}
