/** Path, what comes before the first `=` of the query, and the `#` of a fragment. */
const parts = /^postgres(?:ql)?:\/\/[^/?#]*([^?#]*)\??([^#=]*)[^#]*(#?)/i;

/**
 * Refuses an address that means something else than its author thinks: `/`, `?` and `#` in a password
 * end the part of the URL that it is in, so that half a password would be asked for as a host.
 *
 * Only URLs are looked at; `pg` takes the path of a socket as well.
 *
 * @throws {TypeError} Without any part of the address, which may hold the password.
 */
export function assertConnectionString(text: string): void {
  const found = parts.exec(text);
  if (!found) return;
  const [, path = '', query = '', fragment = ''] = found;
  const isCut = path.includes('@') || query.includes('@') || fragment !== '';
  // A URL without a host is `pg`'s way to name a socket in the query.
  if (!isCut && URL.canParse(text.replace('@/', '@socket/'))) return;
  throw new TypeError(
    'connectionString is not the URL that it should be; in user and password, write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25',
  );
}
