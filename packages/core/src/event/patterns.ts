const maxPatternLength = 255;
const segment = /^(?:\*|[A-Za-z0-9_-]+)$/;

/** Says whether an event type is one that this pattern asks for. */
export type TypeMatcher = (eventType: string) => boolean;

/**
 * Compiles a pattern of event types.
 *
 * `*` alone matches everything; a `*` segment in the middle or at the front matches exactly one
 * segment; a trailing `.*` matches one or more, so `quality.*` takes `quality.inspection.created`.
 *
 * @throws {TypeError} If the pattern is empty, longer than 255 characters, or has a segment that is
 *   neither `*` nor letters, digits, `_` and `-`.
 */
export function compilePattern(pattern: string): TypeMatcher {
  assertPattern(pattern);
  if (pattern === '*') return () => true;
  const segments = pattern.split('.');
  const open = segments.at(-1) === '*';
  const fixed = open ? segments.slice(0, -1) : segments;
  if (!segments.includes('*')) return (eventType) => eventType === pattern;
  return (eventType) => {
    const actual = eventType.split('.');
    if (open ? actual.length <= fixed.length : actual.length !== fixed.length) return false;
    return fixed.every((expected, index) => expected === '*' || expected === actual[index]);
  };
}

/** Compiles several patterns into one: true when any of them matches. */
export function compilePatterns(patterns: readonly string[]): TypeMatcher {
  const matchers = patterns.map(compilePattern);
  return (eventType) => matchers.some((matches) => matches(eventType));
}

/** Says whether the pattern can match more than one type. */
export function isWildcard(pattern: string): boolean {
  return pattern.split('.').includes('*');
}

/** Says whether there can be a type that both patterns ask for; a type is a pattern of itself alone. */
export function patternsMeet(a: string, b: string): boolean {
  const [ofA, ofB] = [shapeOf(a), shapeOf(b)];
  const isLongEnough = (open: Shape, other: Shape): boolean =>
    !open.isOpen || other.isOpen || other.fixed.length > open.fixed.length;
  if (!isLongEnough(ofA, ofB) || !isLongEnough(ofB, ofA)) return false;
  if (!ofA.isOpen && !ofB.isOpen && ofA.fixed.length !== ofB.fixed.length) return false;
  return ofA.fixed.every((part, index) => {
    const other = ofB.fixed[index];
    return other === undefined || part === '*' || other === '*' || part === other;
  });
}

/** The segments of a pattern that stand for one segment each, and whether more may follow. */
interface Shape {
  readonly fixed: readonly string[];
  readonly isOpen: boolean;
}

function shapeOf(pattern: string): Shape {
  const segments = pattern.split('.');
  const isOpen = segments.at(-1) === '*';
  return { fixed: isOpen ? segments.slice(0, -1) : segments, isOpen };
}

/**
 * Says which of two patterns is about less, for types that both match: the one that names more segments;
 * of those, one without an open end; then the longer one; then the one that names the earlier segment.
 *
 * @returns Below 0 if `a` is the more specific one, above 0 if `b` is.
 */
export function compareSpecificity(a: string, b: string): number {
  const [ofA, ofB] = [a.split('.'), b.split('.')];
  return (
    named(ofB) - named(ofA) ||
    Number(ofA.at(-1) === '*') - Number(ofB.at(-1) === '*') ||
    ofB.length - ofA.length ||
    firstNamed(ofA, ofB)
  );
}

function named(segments: readonly string[]): number {
  return segments.filter((part) => part !== '*').length;
}

function firstNamed(a: readonly string[], b: readonly string[]): number {
  const differing = a.findIndex((part, index) => (part === '*') !== (b[index] === '*'));
  if (differing === -1) return 0;
  return a[differing] === '*' ? 1 : -1;
}

function assertPattern(pattern: string): void {
  const valid =
    typeof pattern === 'string' &&
    pattern.length <= maxPatternLength &&
    pattern.split('.').every((part) => segment.test(part));
  if (!valid) {
    const shown = String(pattern).slice(0, 60);
    throw new TypeError(
      `event type pattern ${JSON.stringify(shown)} must be dotted segments of letters, digits, "_" and "-", or "*", at most ${maxPatternLength} characters`,
    );
  }
}
