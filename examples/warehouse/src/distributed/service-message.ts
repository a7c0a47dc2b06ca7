/** What a service tells the process that watches it. */
export type ServiceMessage =
  /** It consumes, and its group exists on all of its streams. */
  | { readonly kind: 'ready' }
  /** Redis no longer has what it had accepted. */
  | { readonly kind: 'lost'; readonly what: string };
