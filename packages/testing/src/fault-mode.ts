/** Which way bytes go: from the client to the server, or back. */
export type Direction = 'requests' | 'replies';

/** What a fault proxy does to the bytes that pass through it. */
export type FaultMode =
  | { readonly kind: 'pass' }
  /** New connections are refused; those that are open go on. */
  | { readonly kind: 'refuse' }
  /** Open connections are reset, and new ones as soon as they are accepted. */
  | { readonly kind: 'reset' }
  /** New connections are accepted and never served, also when the mode has ended; those that are open go on. */
  | { readonly kind: 'deaf' }
  /** Connections stay open and nothing gets through; what was sent meanwhile arrives afterwards. */
  | { readonly kind: 'black-hole' }
  /** Requests arrive and their replies are lost; the connection is reset when the mode ends. */
  | { readonly kind: 'swallow-replies' }
  /** Lets this many more bytes of one direction through on each connection, then resets it. */
  | { readonly kind: 'cut'; readonly direction: Direction; readonly afterBytes: number }
  /** Everything arrives this much later, in both directions. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Each direction of each connection gets this much. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** Sends the last requests of each open connection once more, then lets everything through. */
  | { readonly kind: 'replay-last-chunk' };
