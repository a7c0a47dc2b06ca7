/** The run cannot begin with what it was given; the message says what to change. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
