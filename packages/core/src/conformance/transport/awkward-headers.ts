import type { Header } from '../../event/message.ts';

/** Headers of every kind that is easily changed on the way; nothing may change one of them. */
export const awkwardHeaders: readonly Header[] = [
  ['Trace-Parent', '00-1'],
  ['shelf', 'first'],
  ['trace-parent', '00-2'],
  ['shelf', 'second ☂'],
  ['shelf', 'first'],
  ['__proto__', ''],
  ['0', 'NUL \0, control \u0007 and \uFEFF'],
  ['NUL \0', '\uFEFF{"base64":"AA==","text":true}'],
  ['bytes', Uint8Array.of(0, 255, 0xc3, 0x28, 10, 34)],
  ['bytes that are text', Buffer.from('ünï', 'utf8')],
  ['no bytes', new Uint8Array(0)],
];
