/** A module of this package for a child process: TypeScript beside sources, JavaScript beside a build. */
export function siblingModule(url: URL, besides: string): URL {
  return besides.endsWith('.ts') ? url : new URL(url.href.replace(/\.ts$/, '.js'));
}
