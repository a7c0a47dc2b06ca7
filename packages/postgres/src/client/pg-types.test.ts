import { describe, expect, it } from 'vitest';

import { bytesOf } from './pg-types.ts';

describe('bytes from the server', () => {
  it.for([
    ['in hexadecimal', String.raw`\x005c27ff41`],
    ['escaped', String.raw`\000\\'\377A`],
  ] as const)('are read %s', ([, written]) => {
    expect(bytesOf(written)).toEqual(Uint8Array.of(0, 92, 39, 255, 65));
  });

  it('may be none', () => {
    expect(bytesOf(String.raw`\x`)).toEqual(new Uint8Array(0));
    expect(bytesOf('')).toEqual(new Uint8Array(0));
  });

  it('may look like an escape, and are not read twice', () => {
    expect(bytesOf(String.raw`\\x41\\101`)).toEqual(
      new Uint8Array(Buffer.from(String.raw`\x41\101`)),
    );
  });
});
